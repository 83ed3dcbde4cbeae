# The runtime, for any MicroPython firmware: include("…/manifest.py") in a board's manifest, or
# FROZEN_MANIFEST=…/manifest.py on the line that builds a port.

metadata(
    description="WebAssembly runtime and application framework",
    version="0.1.0",
    license="Apache-2.0",
)

# Without line numbers, as MicroPython freezes its own packages.
package("wamr", base_path="wamr_mp", opt=3)
