"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "8d99d164"
