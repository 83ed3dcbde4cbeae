"""Install the system packages that building and emulating the firmware needs.

    python3 firmware/packages.py

On Debian and its relatives the missing ones are installed with apt, as root or through sudo.
Anywhere else the programs themselves are looked for, and what is missing is named.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# Debian package: the program that shows, on another system, that its equivalent is there.
PACKAGES = {
    "build-essential": "cc",
    "ca-certificates": None,
    "dpkg-dev": None,
    "gcc-arm-none-eabi": "arm-none-eabi-gcc",
    "gcc-riscv64-unknown-elf": "riscv64-unknown-elf-gcc",
    "git": "git",
    "libnewlib-arm-none-eabi": None,
    "picolibc-riscv64-unknown-elf": None,
    "pkg-config": "pkg-config",
    "python3-venv": None,
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-misc": "qemu-system-riscv32",
}


def installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True).stdout == "installed"


def install(packages: list[str]) -> None:
    """Run apt-get as root; other people's apt on the same machine is waited for."""
    become_root = [] if os.geteuid() == 0 else ["sudo"]
    if become_root and not shutil.which("sudo"):
        sys.exit(
            "packages: not root and no sudo; as root, run: apt-get install " + " ".join(packages)
        )
    apt = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    apt += ["-qq", "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Use-Pty=0"]
    print("packages: installing", " ".join(packages), flush=True)
    # The package lists of a fresh machine may be empty or old, so they are fetched first.
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        result = subprocess.run(apt + arguments, stdout=subprocess.DEVNULL)
        if result.returncode:
            sys.exit(
                f"packages: apt-get {arguments[0]} failed; install these by hand: "
                + " ".join(packages)
            )


def main() -> None:
    if shutil.which("apt-get") and shutil.which("dpkg-query"):
        missing = [package for package in PACKAGES if not installed(package)]
        if missing:
            install(missing)
        return
    missing = [tool for tool in PACKAGES.values() if tool and not shutil.which(tool)]
    if missing:
        sys.exit(
            "packages: this system has no apt; install these programs and try again: "
            + ", ".join(missing)
            + " (the two cross compilers with newlib or picolibc headers)"
        )


if __name__ == "__main__":
    main()
