"""`wamr build`: make a .wasm of an app's source, with whatever compiler is installed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click
from wamr.apps import natives
from wamr.libc import Libc

from wamr_cli import toolchains
from wamr_cli.errors import OK
from wamr_cli.objects import read_symbols
from wamr_cli.options import Size
from wamr_cli.sdk import sdk_folder
from wamr_cli.toolchains import ToolError, run

# What the app manager calls; an app has what it needs of these.
CALLBACKS = (
    "on_init",
    "on_destroy",
    "on_request",
    "on_response",
    "on_timer_callback",
    "on_sensor_event",
    "on_connection_data",
)
LIBRARY = "wamr-app"  # the folder of a project with its copy of the SDK


class Job:
    """One build: the sources, where the result goes, and the options."""

    def __init__(self, sources: list[Path], output: Path, stack: int, names: bool) -> None:
        self.sources = sources
        self.output = output
        self.stack = stack
        self.names = names
        self.defines: tuple[str, ...] = ()
        self.folder = sources[0].parent

    def library(self, language: str) -> Path:
        """The SDK for a language: the project's own copy, else this package's."""
        for parent in (self.folder, self.folder.parent):
            if (parent / LIBRARY).is_dir():
                return parent / LIBRARY
        return sdk_folder() / language

    def link_options(self, exports: Iterable[str] = ()) -> list[str]:
        """For LLVM's linker. The stack comes first, so that its overflow traps; the two exports
        let the runtime allocate only what the app uses."""
        return [
            *(f"--export={name}" for name in (*exports, "__heap_base", "__data_end")),
            "--stack-first",
            f"-zstack-size={self.stack}",
        ]


# ---- C


def build_c(job: Job) -> None:
    """Link the app with those files of the SDK that it needs."""
    compiler = toolchains.find_c()
    sdk = sdk_folder() / "c"
    flags = ["-ffreestanding", "-Oz", "-Wall", *(f"-D{word}" for word in job.defines)]
    flags += [f"-I{sdk / folder}" for folder in ("include", "include/2019", "libc")]
    with tempfile.TemporaryDirectory() as scratch:

        def compiled(number: int, source: Path) -> Path:
            result = Path(scratch, f"{number}.o")
            run([*compiler.compile, *flags, "-c", str(source), "-o", str(result)])
            return result

        library_sources = sorted(sdk.glob("src/*.c"))
        objects = [compiled(n, source) for n, source in enumerate(job.sources)]
        library = [compiled(n, s) for n, s in enumerate(library_sources, len(objects))]
        _link_c(job, compiler, objects, library)


def _link_c(
    job: Job, compiler: toolchains.CCompiler, objects: list[Path], library: list[Path]
) -> None:
    symbols = {path: read_symbols(path) for path in [*objects, *library]}
    used = list(objects)
    while True:
        defined = set().union(*(symbols[path].defines for path in used))
        lacking = set().union(*(symbols[path].lacks for path in used)) - defined
        more = [p for p in library if p not in used and symbols[p].defines & lacking]
        if not more:
            break
        used += more
    unknown = sorted(name for name in lacking if not _is_provided(name))
    if unknown:
        raise ToolError(
            f"the app calls {', '.join(unknown)}, which neither it nor the runtime has. If the "
            "board's firmware adds such a function, declare it with WAMR_IMPORT(name) of "
            "wa-inc/board.h"
        )
    run(
        [
            *compiler.link,
            *map(str, used),
            "--no-entry",
            "--allow-undefined",
            *(f"--export-if-defined={name}" for name in ("main", *CALLBACKS)),
            *job.link_options(),
            "--compress-relocations",
            "--strip-debug" if job.names else "--strip-all",
            "-o",
            str(job.output),
        ]
    )


# What the linker adds itself, and what apps import from the runtime.
def _is_provided(name: str) -> bool:
    if name in ("__heap_base", "__data_end", "__stack_pointer"):
        return True
    return natives.has(name) or bool(Libc().resolve(name, "func", None, None))


# ---- Rust


def build_rust(job: Job) -> None:
    """With Cargo in a project of Cargo, if it has the target; else with rustc alone."""
    compiler = toolchains.find_rust()
    project = _parent_with(job.folder, "Cargo.toml")
    options = [
        *("-C", "opt-level=z", "-C", "lto", "-C", "panic=abort", "-C", "codegen-units=1"),
        *(word for option in job.link_options() for word in ("-C", f"link-arg={option}")),
        *(() if job.names else ("-C", "strip=symbols")),
    ]
    with tempfile.TemporaryDirectory() as scratch:
        if project and compiler.cargo:
            _cargo(job, compiler.cargo, project, Path(scratch))
            return
        target = ["--edition", "2021", "--target", toolchains.RUST_TARGET]
        library = Path(scratch, "libwamr_app.rlib")
        crate = job.library("rust") / "src" / "lib.rs"
        common = [compiler.rustc, *target]
        run(
            [
                *(*common, "--crate-name", "wamr_app", "--crate-type", "rlib"),
                *("-C", "opt-level=z", "-C", "panic=abort", str(crate), "-o", str(library)),
            ]
        )
        run(
            [
                *(*common, "--crate-type", "cdylib", *options),
                *("--extern", f"wamr_app={library}", str(job.sources[0]), "-o", str(job.output)),
            ]
        )


def _cargo(job: Job, cargo: str, project: Path, scratch: Path) -> None:
    """The options for the linker are in the project's .cargo/config.toml."""
    target = ["--target", toolchains.RUST_TARGET, "--target-dir", str(scratch)]
    run([cargo, "build", "--release", *target], project)
    found = list((scratch / toolchains.RUST_TARGET / "release").glob("*.wasm"))
    if len(found) != 1:
        raise ToolError(f"{project} makes {len(found)} .wasm files; one is needed")
    shutil.copy(found[0], job.output)


def _parent_with(folder: Path, name: str) -> Path | None:
    for parent in (folder, folder.parent):
        if (parent / name).exists():
            return parent
    return None


# ---- AssemblyScript


def build_assemblyscript(job: Job) -> None:
    """With a runtime that takes its memory from the board's heap instead of whole pages."""
    asc = toolchains.find_asc(job.folder)
    library = job.library("assemblyscript")
    scratch = Path(tempfile.mkdtemp())
    try:
        # The compiler wants all files below the folder where it runs.
        shutil.copytree(library, scratch / LIBRARY)
        for source in [*job.folder.glob("*.ts"), *job.folder.glob("asconfig.json")]:
            shutil.copy(source, scratch)
        if not (scratch / "asconfig.json").exists():
            shutil.copy(library / "asconfig.json", scratch)
        options = ["--debug"] if job.names else []
        run([*asc, job.sources[0].name, "-o", str(job.output.resolve()), *options], scratch)
    finally:
        shutil.rmtree(scratch)


# ---- Zig


def build_zig(job: Job) -> None:
    zig = toolchains.find_zig()
    library = job.library("zig") / "wamr_app.zig"
    with tempfile.TemporaryDirectory() as scratch:
        run(
            [
                *(*zig, "build-exe", "--name", "app", "-target", "wasm32-freestanding"),
                *("-mcpu", "mvp", "-O", "ReleaseSmall", "-fno-entry", "-rdynamic"),
                *("--stack", str(job.stack), "--export=__heap_base", "--export=__data_end"),
                *(() if job.names else ("-fstrip",)),
                *("--cache-dir", str(Path(scratch, "cache"))),
                *("--dep", "wamr_app", f"-Mroot={job.sources[0]}", f"-Mwamr_app={library}"),
                f"-femit-bin={job.output}",
            ]
        )


# ---- the command

LANGUAGES = {
    ".c": build_c,
    ".rs": build_rust,
    ".ts": build_assemblyscript,
    ".zig": build_zig,
}
# The file that a project of each language begins with.
_BEGINNINGS = ("src/lib.rs", "index.ts", "main.zig")


def _sources(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    for name in _BEGINNINGS:
        if (path / name).exists():
            return [path / name]
    return sorted([*path.glob("*.c"), *path.glob("src/*.c")])


@click.command(short_help="Make a .wasm of an app.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The .wasm to write.")
@click.option(
    "--stack", type=Size(), default=1024, show_default=True, help="Stack of C, Rust and Zig apps."
)
@click.option("-D", "defines", multiple=True, metavar="NAME[=VALUE]", help="A macro of C apps.")
@click.option("--names", is_flag=True, help="Keep the functions' names, for backtraces.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
def build(paths, output, stack, defines, names) -> int:
    """Make a .wasm of an app: of a project's folder (default: this one), or of source files.

    The language is known by the files: .c, .rs, .ts (AssemblyScript) or .zig. The result is named
    after the folder, or the source.
    """
    paths = paths or (Path("."),)
    sources = [source.resolve() for path in paths for source in _sources(path)]
    if not sources:
        raise click.UsageError(f"{paths[0]} has no .c files and is no project of another language")
    kinds = {source.suffix for source in sources}
    if len(kinds) > 1 or kinds - set(LANGUAGES):
        raise click.UsageError("give sources of one language: .c, .rs, .ts or .zig")
    kind = kinds.pop()
    if len(sources) > 1 and kind != ".c":
        raise click.UsageError("give the one file that the app begins with")
    if not output:
        first = paths[0].resolve()
        output = first / f"{first.name}.wasm" if first.is_dir() else first.with_suffix(".wasm")
    job = Job(sources, output.resolve(), stack, names)
    job.defines = defines
    LANGUAGES[kind](job)
    output.chmod(0o644)
    click.echo(f"{output}: {output.stat().st_size:,} bytes")
    return OK
