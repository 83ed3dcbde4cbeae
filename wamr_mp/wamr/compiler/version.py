"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "e15c692f"
