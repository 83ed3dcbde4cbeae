"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "01a9a12e"
