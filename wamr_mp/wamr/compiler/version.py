"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "1c71d3f2"
