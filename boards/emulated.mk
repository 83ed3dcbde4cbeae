# What the emulated boards have in common. A board's mpconfigboard.mk includes this; then
#     make -C micropython/ports/qemu BOARD=NAME BOARD_DIR=boards/NAME
# builds it with no other option.

WAMR_DIR := $(abspath $(BOARD_DIR)/../..)

FROZEN_MANIFEST ?= $(BOARD_DIR)/manifest.py
USER_C_MODULES ?= $(WAMR_DIR)/firmware/usermods
MICROPY_VFS_LFS2 = 1
SRC_C += shared/timeutils/timeutils.c

# The configuration header lies beside the C modules. Without the second line a change of it would
# go unseen by the step that collects names.
CFLAGS += -DMP_CONFIGFILE='"mpconfigport_emulated.h"' -I$(WAMR_DIR)/firmware/usermods/emulated
QSTR_GLOBAL_DEPENDENCIES += $(WAMR_DIR)/firmware/usermods/emulated/mpconfigport_emulated.h
