"""Hostile input: mutated modules, and the runner that survives them."""
