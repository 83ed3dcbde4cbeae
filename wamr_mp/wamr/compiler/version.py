"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "a59b7d4c"
