# Firmware for the emulated boards: asyncio, the mounting of the flash disk, the runtime. machine:
# see ../manifest.py.

include("$(MPY_DIR)/extmod/asyncio")
freeze("modules")
include("../manifest.py", machine=options.machine, native=True)
