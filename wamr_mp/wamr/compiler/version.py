"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "0b137843"
