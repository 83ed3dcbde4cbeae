include("../../firmware/manifest_emulated.py", machine="thumb2")
