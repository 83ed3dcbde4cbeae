"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "94eb9d2e"
