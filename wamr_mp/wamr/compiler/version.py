"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "90ce510b"
