"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "fe14e4ec"
