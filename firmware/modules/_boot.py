"""Mount the flash disk of an emulated board; a new one is formatted first."""

import sys

import semihost
import vfs

flash = semihost.Flash()
try:
    disk = vfs.VfsLfs2(flash)
except OSError:
    vfs.VfsLfs2.mkfs(flash)
    disk = vfs.VfsLfs2(flash)
vfs.mount(disk, "/")
sys.path.append("/lib")
del flash, disk, semihost, sys, vfs
