"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "5550b9b3"
