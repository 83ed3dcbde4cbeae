"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "c9bfb22e"
