#!/bin/sh
# Install the system packages that building, emulating, testing and measuring need; with `apps`, the
# compilers for apps.
#
# On Debian and its relatives the missing ones are installed with apt, as root or through sudo.
# Anywhere else the programs themselves are looked for, and what is missing is named.
set -eu

packages="binaryen build-essential ca-certificates dpkg-dev gcc-arm-none-eabi gcc-riscv64-unknown-elf
    gcc-xtensa-lx106 git libnewlib-arm-none-eabi picolibc-riscv64-unknown-elf pkg-config python3
    python3-venv qemu-system-arm qemu-system-misc qemu-user valgrind"
programs="cc arm-none-eabi-gcc riscv64-unknown-elf-gcc git pkg-config python3 qemu-system-arm
    qemu-system-riscv32 qemu-xtensa"

if [ "${1:-}" = apps ]; then
    packages="clang libstd-rust-dev-wasm32 lld rustc"
    programs="clang npm rustc wasm-ld"
fi

missing=
if command -v apt-get > /dev/null && command -v dpkg-query > /dev/null; then
    for package in $packages; do
        state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2> /dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
    # It may well come from somewhere else, and the distribution's brings hundreds of packages.
    [ "${1:-}" != apps ] || command -v npm > /dev/null || missing="$missing npm"
    [ -n "$missing" ] || exit 0
    become_root=
    if [ "$(id -u)" != 0 ]; then
        become_root=sudo
        if ! command -v sudo > /dev/null; then
            echo "packages: not root and no sudo; as root, run: apt-get install$missing" >&2
            exit 1
        fi
    fi
    echo "Installing system packages:$missing"
    # Somebody else's apt on the same machine is waited for.
    apt() {
        $become_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" > /dev/null
    }
    # The package lists of a fresh machine may be empty or old. A source of packages that does not
    # answer need not be the one that is needed here.
    apt update || true
    # shellcheck disable=SC2086
    if ! apt install --yes --no-install-recommends $missing; then
        echo "packages: apt-get could not install them; try by hand: apt-get install$missing" >&2
        exit 1
    fi
else
    for program in $programs; do
        command -v "$program" > /dev/null || missing="$missing $program"
    done
    if [ -n "$missing" ]; then
        echo "packages: this system has no apt; install these and try again:$missing" >&2
        echo "(cross compilers with the headers of newlib or picolibc, rustc with its library for" >&2
        echo "wasm32-unknown-unknown)" >&2
        exit 1
    fi
fi
