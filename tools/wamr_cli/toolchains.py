"""The compilers for apps: finding them, or saying what to install."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import click

ZIG_VERSION = "0.17.1"
ASC_VERSION = "0.28.20"
RUST_TARGET = "wasm32-unknown-unknown"


class ToolError(click.ClickException):
    """A compiler is missing, or has refused the source."""

    def show(self, file=None) -> None:
        from wamr_cli.errors import complain

        complain(self.format_message())


class CCompiler(NamedTuple):
    """How C is compiled and linked: the beginnings of the two commands."""

    compile: tuple[str, ...]
    link: tuple[str, ...]


class RustCompiler(NamedTuple):
    """rustc with the target's core library; `cargo` only where it uses that rustc."""

    rustc: str
    cargo: str | None


def run(command: list[str], folder: Path | None = None) -> None:
    """Run a compiler; what it says goes to the terminal."""
    done = subprocess.run(command, cwd=folder)
    if done.returncode:
        raise ToolError(f"{_short(command[0])} failed with exit code {done.returncode}")


def _short(program: str) -> str:
    return Path(program).name


def _works(command: list[str], source: str = "") -> bool:
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True)
    except OSError:
        return False
    return done.returncode == 0


def zig() -> tuple[str, ...] | None:
    """Zig: the PyPI package of this Python, else `zig`."""
    if importlib.util.find_spec("ziglang"):
        return (sys.executable, "-m", "ziglang")
    program = shutil.which("zig")
    return (program,) if program else None


def find_zig() -> tuple[str, ...]:
    found = zig()
    if not found:
        raise ToolError(f"no Zig compiler: pip install ziglang=={ZIG_VERSION}")
    return found


def find_c() -> CCompiler:
    """clang, if it can make WebAssembly and its linker is there; else Zig, which has both."""
    clang = shutil.which("clang")
    linker = _linker(clang) if clang else None
    check = ["--target=wasm32", "-x", "c", "-c", "-o", os.devnull, "-"]
    if clang and linker and _works([clang, *check], "int x;"):
        return CCompiler((clang, "--target=wasm32"), (linker,))
    found = zig()
    if found:
        target = ("-target", "wasm32-freestanding", "-mcpu=mvp")
        return CCompiler((*found, "cc", *target), (*found, "wasm-ld"))
    raise ToolError(
        "no C compiler for WebAssembly. Either of these is enough:\n"
        f"  pip install ziglang=={ZIG_VERSION}    (any system; nothing else is needed)\n"
        "  apt install clang lld"
    )


# Debian calls the linker wasm-ld-14 if only that version is installed.
def _linker(clang: str) -> str | None:
    real = Path(clang).resolve().parent / "wasm-ld"
    return str(real) if real.exists() else shutil.which("wasm-ld")


def find_rust() -> RustCompiler:
    """The first rustc that has the target's library: on PATH, or the distribution's."""
    first = shutil.which("rustc")
    for rustc in (first, "/usr/bin/rustc"):
        if rustc and _has_target(rustc):
            return RustCompiler(rustc, shutil.which("cargo") if rustc == first else None)
    raise ToolError(
        "no Rust compiler for WebAssembly. "
        + (
            f"rustc is there, its library is not: rustup target add {RUST_TARGET}"
            if first and shutil.which("rustup")
            else "apt install rustc libstd-rust-dev-wasm32 lld\n"
            f"  (or https://rustup.rs and then: rustup target add {RUST_TARGET})"
        )
    )


def _has_target(rustc: str) -> bool:
    command = [rustc, "--print", "target-libdir", "--target", RUST_TARGET]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return False
    return done.returncode == 0 and any(Path(done.stdout.strip()).glob("libcore-*"))


def find_asc(folder: Path) -> tuple[str, ...]:
    """AssemblyScript's compiler: of the project, or on PATH."""
    for parent in (folder, *folder.parents):
        local = parent / "node_modules" / ".bin" / "asc"
        if local.exists():
            return (str(local),)
    program = shutil.which("asc")
    if program:
        return (program,)
    if not shutil.which("npm"):
        raise ToolError(
            "no AssemblyScript compiler, and no npm to get it with. apt install npm, then\n"
            f"  npm install --prefix {folder} assemblyscript@{ASC_VERSION}"
        )
    raise ToolError(
        "no AssemblyScript compiler:\n"
        f"  npm install --prefix {folder} assemblyscript@{ASC_VERSION}"
    )
