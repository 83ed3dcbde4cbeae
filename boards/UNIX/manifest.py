include("$(MPY_DIR)/extmod/asyncio")
include("../../manifest.py", machine="x64")
