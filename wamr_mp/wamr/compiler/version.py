"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "bd4a8684"
