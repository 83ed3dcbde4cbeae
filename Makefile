# Everything that can be done with this project, from nothing on a fresh machine. `make help` lists
# it.

BOARD ?= NETDUINOPLUS2
EMULATED := NETDUINOPLUS2 MPS2_AN385 VIRT_RV32

BUILD := build
LOG := $(BUILD)/log
VENV := .venv
PYTHON ?= python3
SOURCE := $(abspath $(or $(MICROPY_DIR),$(BUILD)/micropython))
MPY_CROSS := $(BUILD)/mpy-cross/mpy-cross
UNIX := $(BUILD)/unix/micropython
FIRMWARE := $(EMULATED:%=$(BUILD)/firmware/%/firmware.elf)
# The folders are among them, so that a removed module is noticed too.
RUNTIME := $(shell find wamr_mp/wamr -name '*.py' -o -type d ! -name __pycache__) \
	$(addprefix firmware/,bundle.py flatten.py make_routines.py unused.py)

ifeq ($(filter $(BOARD),$(EMULATED)),)
$(error BOARD=$(BOARD) is none of $(EMULATED); docs/boards.md says how to build for real boards)
endif

.PHONY: help run test board repl unix firmware size mpy package.json spec bench lint clean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help: ## list these targets
	@sed -n 's/^\([a-z.]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24
	@echo "  BOARD is one of: $(EMULATED) (default $(BOARD))."

run: $(BUILD)/environment $(UNIX) $(BUILD)/firmware/$(BOARD)/firmware.elf ## boot BOARD in QEMU, install apps over its UART, talk to them
	@$(VENV)/bin/python firmware/tour.py $(BOARD)

test: $(BUILD)/toolchains $(UNIX) $(FIRMWARE) ## run all tests, on the PC, the unix port and the boards
	@$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

board: $(BUILD)/firmware/$(BOARD)/firmware.elf ## build the firmware of BOARD
	@echo "$<"

repl: $(BUILD)/firmware/$(BOARD)/firmware.elf ## boot BOARD, its console in this terminal
	@$(PYTHON) firmware/emulator.py repl $(BOARD)

unix: $(UNIX) ## build MicroPython for Linux
	@echo "$<"

firmware: $(UNIX) $(FIRMWARE) ## build MicroPython for Linux and all boards

size: $(BUILD)/firmware/NETDUINOPLUS2/firmware.elf $(BUILD)/firmware/VIRT_RV32/firmware.elf ## flash that each part takes
	@$(PYTHON) firmware/size.py NETDUINOPLUS2 VIRT_RV32

mpy: $(MPY_CROSS) ## compile the runtime to build/mpy, to install on a stock board
	@$(PYTHON) firmware/package.py mpy $(MPY_CROSS) $(BUILD)/mpy

package.json: ## list the runtime's files for mip
	@$(PYTHON) firmware/package.py json

spec: $(BUILD)/environment ## get and convert the official WebAssembly test suite
	@$(VENV)/bin/python tests/spec/fetch.py

bench: $(BUILD)/environment $(UNIX) $(FIRMWARE) ## measure speed against other runtimes
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -e '.[bench]'
	@$(VENV)/bin/python tools/bench/run.py

lint: $(BUILD)/environment ## check format and style
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .

clean: ## remove everything that was built, MicroPython's source too
	rm -rf $(BUILD)

# -------------------------------------------------------------------------------------------------
# What the targets above need. Stamps and MicroPython's own dependency files keep second runs
# short.

$(LOG):
	@mkdir -p $@

# The virtual environment with the host package and its tools.
$(BUILD)/environment: pyproject.toml $(BUILD)/packages | $(LOG)
	@echo "Python packages into $(VENV)"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' > $(LOG)/pip.log 2>&1 \
		|| { cat $(LOG)/pip.log; exit 1; }
	@touch $@

# Compilers for apps, of all languages.
$(BUILD)/toolchains: $(BUILD)/environment firmware/packages.sh
	@sh firmware/packages.sh apps
	@echo "Zig and AssemblyScript compilers"
	@{ $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[apps]' \
		&& npm install --silent --no-audit --no-fund --prefix apps/build/asc assemblyscript@0.28.20; } > $(LOG)/toolchains.log 2>&1 \
		|| { cat $(LOG)/toolchains.log; exit 1; }
	@touch $@

$(BUILD)/packages: firmware/packages.sh | $(LOG)
	@sh firmware/packages.sh
	@touch $@

# Always looked at, since MICROPY_DIR may have changed; it takes no time when nothing is to be
# done.
.PHONY: source
source: $(BUILD)/packages
	@$(PYTHON) firmware/source.py $(SOURCE)

# Run one of MicroPython's makefiles: $(call build,name,its folder,its options). The output is
# shown only if it fails. The version is given, so that the tags of whatever repository this tree
# lies in do not end up in the firmware.
build = @echo "Building $(1) (log: $(LOG)/$(1).log)"; \
	MICROPY_GIT_TAG=$$(sed -n 's/^VERSION = "\(.*\)"/v\1/p' firmware/source.py) MICROPY_MPYCROSS=$(abspath $(MPY_CROSS)) \
	$(MAKE) --no-print-directory -j$$(nproc) -C $(SOURCE)/$(2) $(3) > $(LOG)/$(1).log 2>&1 \
		|| { tail -n 40 $(LOG)/$(1).log; exit 1; }

$(MPY_CROSS): | source $(LOG)
	$(call build,mpy-cross,mpy-cross,BUILD=$(abspath $(BUILD)/mpy-cross))

# A changed option can change every object, which MicroPython's dependencies do not see: such a
# build starts anew.
$(BUILD)/unix/configured: $(wildcard boards/UNIX/*) manifest.py
	@rm -rf $(@D)
	@mkdir -p $(@D)
	@touch $@

$(UNIX): $(BUILD)/unix/configured $(RUNTIME) $(MPY_CROSS) | source $(LOG)
	$(call build,UNIX,ports/unix,VARIANT_DIR=$(abspath boards/UNIX) BUILD=$(abspath $(BUILD)/unix))
	@touch $@

EMULATED_C := $(wildcard firmware/usermods/emulated/*)

$(BUILD)/firmware/%/configured: boards/%/mpconfigboard.mk boards/%/manifest.py boards/emulated.mk \
		$(filter %.h %.mk %.ld,$(EMULATED_C)) firmware/manifest_emulated.py manifest.py
	@rm -rf $(@D)
	@mkdir -p $(@D)
	@touch $@

.PRECIOUS: $(BUILD)/firmware/%/configured

$(BUILD)/firmware/%/firmware.elf: $(BUILD)/firmware/%/configured \
		$(wildcard firmware/modules/*) $(EMULATED_C) $(RUNTIME) $(MPY_CROSS) | source $(LOG)
	$(call build,$*,ports/qemu,BOARD=$* BOARD_DIR=$(abspath boards/$*) BUILD=$(abspath $(@D)))
	@touch $@
