"""A hash of the compiler, written by `make package.json`: see cache.py."""

VERSION = "48d985de"
