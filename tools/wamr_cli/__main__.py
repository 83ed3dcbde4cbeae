"""`python -m wamr_cli`: the same as `wamr`."""

import sys

from wamr_cli.cli import main

sys.exit(main())
