"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "6c94695a"
