"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "46f8a0ff"
