"""WebAssembly: modules, instances and what they share."""

import sys

from ..host import MICROPYTHON


# Forgets files of this package that are needed only while an app is loaded: their functions and
# classes take RAM, even when their code is in flash. They are loaded again for the next app.
def unload(*names):
    if MICROPYTHON:
        for name in names:
            if sys.modules.pop(__name__ + "." + name, None):
                delattr(sys.modules[__name__], name)
