"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "591c4b1a"
