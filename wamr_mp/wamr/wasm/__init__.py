"""WebAssembly: modules, instances and what they share."""
