# The runtime, for any MicroPython firmware: include("…/manifest.py", machine="…") in a board's
# manifest, or FROZEN_MANIFEST=…/manifest.py on the line that builds a port.

import atexit
import importlib
import os
import shutil
import sys
import tempfile

metadata(
    description="WebAssembly runtime and application framework",
    version="0.1.0",
    license="Apache-2.0",
)

# machine: those that a board makes code for, see firmware/bundle.py: names, with spaces between
# them; None: all. native: whether the busiest part of the compiler is frozen as machine code:
# larger, and faster. On RISC-V it takes what boards/VIRT_RV32/mpconfigboard.mk says.
options.defaults(machine=None, native=False)

found = [
    os.path.relpath(os.path.join(folder, name), "wamr_mp/wamr")
    for folder, _, names in os.walk("wamr_mp/wamr")
    for name in names
    if name.endswith(".py") and name != "host_pc.py"
]

# Some files become one. They are compiled when all manifests have been read.
folder = tempfile.mkdtemp(prefix="wamr-")
atexit.register(shutil.rmtree, folder)
sys.path.insert(0, "firmware")
write = importlib.import_module("bundle").write
files = write(found, folder + "/wamr", options.machine, options.native)

# Without line numbers, as MicroPython freezes its own packages.
package("wamr", files, base_path=folder, opt=3)
