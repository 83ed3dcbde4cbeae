# What this board has in MicroPython, and the runtime.

include("$(PORT_DIR)/boards/RPI_PICO_W/manifest.py")
include("../../manifest.py", machine="thumb1")
