"""WebAssembly: modules, instances and what they share."""

import gc
import sys

from ..host import MICROPYTHON


# Forgets files of this package that are needed only while an app is loaded: their functions and
# classes take RAM, even when their code is in flash. They are loaded again for the next app. Their
# place is free at once, before the app's large buffers want theirs.
def unload(*names):
    if MICROPYTHON:
        for name in names:
            if sys.modules.pop(__name__ + "." + name, None):
                delattr(sys.modules[__name__], name)
        gc.collect()
