# The runtime, for any MicroPython firmware: include("…/manifest.py", machine="…") in a board's
# manifest, or FROZEN_MANIFEST=…/manifest.py on the line that builds a port.

import atexit
import os
import runpy
import shutil
import tempfile

metadata(
    description="WebAssembly runtime and application framework",
    version="0.1.0",
    license="Apache-2.0",
)

# The compiler's files that make code for one kind of machine begin with its name. A board needs
# those of its own only. machine: names, with spaces between them; None: all.
options.defaults(machine=None)
MACHINES = ("rv32", "thumb1", "thumb2", "vfp", "x64", "xtensa")


def is_wanted(file):
    machine = os.path.basename(file)[:-3].split("_")[0]
    return options.machine is None or machine not in MACHINES or machine in options.machine.split()


found = [
    os.path.relpath(os.path.join(folder, name), "wamr_mp/wamr")
    for folder, _, names in os.walk("wamr_mp/wamr")
    for name in names
    if name.endswith(".py") and name != "host_pc.py"
]

# Some files become one. They are compiled when all manifests have been read.
folder = tempfile.mkdtemp(prefix="wamr-")
atexit.register(shutil.rmtree, folder)
write = runpy.run_path("firmware/bundle.py")["write"]
files = write(filter(is_wanted, found), folder + "/wamr")

# Without line numbers, as MicroPython freezes its own packages.
package("wamr", files, base_path=folder, opt=3)
