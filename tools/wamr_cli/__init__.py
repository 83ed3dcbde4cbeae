"""The `wamr` command for the host."""

from wamr_cli.cli import main

__all__ = ["main"]
