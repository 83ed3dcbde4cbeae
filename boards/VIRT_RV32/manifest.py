include("../../firmware/manifest_emulated.py", machine="rv32")
