# MicroPython for Linux with the runtime frozen in:
#     make -C micropython/ports/unix VARIANT_DIR=boards/UNIX
# The parts that need libraries of the system are left out.
FROZEN_MANIFEST ?= $(VARIANT_DIR)/manifest.py

MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_PY_SSL = 0
MICROPY_SSL_MBEDTLS = 0
