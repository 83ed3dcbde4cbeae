"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "15b3c6df"
