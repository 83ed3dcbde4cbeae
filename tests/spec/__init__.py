"""The official WebAssembly test suite: finding it, converting it, running it on every target."""
