"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "9e98b7b7"
