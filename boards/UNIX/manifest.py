include("$(MPY_DIR)/extmod/asyncio")
include("../../manifest.py")
