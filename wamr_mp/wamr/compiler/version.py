"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "c647965f"
