"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "a4d1a8a5"
