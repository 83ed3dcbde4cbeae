# What this board has in MicroPython, and the runtime.

include("$(PORT_DIR)/boards/PYBV10/manifest.py")
include("../../manifest.py", machine="thumb2 vfp", native=True)
