"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "16bc0b97"
