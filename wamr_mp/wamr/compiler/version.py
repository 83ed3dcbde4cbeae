"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "28ba7d7a"
