"""Operands for the numeric instructions, and what another engine (wasmtime) makes of them."""
