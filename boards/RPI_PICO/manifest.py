# What this board has in MicroPython, and the runtime.

include("$(PORT_DIR)/boards/manifest.py")
include("../../manifest.py", machine="thumb1")
