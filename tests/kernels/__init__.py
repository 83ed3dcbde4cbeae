"""The benchmark kernels: where they are, and running them on a device."""
