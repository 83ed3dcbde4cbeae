"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "ba687b5c"
