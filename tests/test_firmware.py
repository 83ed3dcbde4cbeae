"""The pieces of firmware/ and boards/: MicroPython's source, manifests, packages, sizes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import bundle
import package
import pytest
import size
import source
from board import BOARDS, BUILD, ROOT, Board

# As in upstream's boards/NAME/board.json.
BOARD_JSON = "deploy docs features images mcu product thumbnail url vendor".split()

# The upstream port of each real board, by the folder in boards/.
PORTS = {
    "ESP32_GENERIC": "esp32",
    "ESP32_GENERIC_C3": "esp32",
    "ESP32_GENERIC_S3": "esp32",
    "PYBV11": "stm32",
    "RPI_PICO": "rp2",
    "RPI_PICO_W": "rp2",
}

# Machines whose code a board makes.
ITS_OWN = {
    "ESP32_GENERIC": "xtensa",
    "ESP32_GENERIC_C3": "rv32",
    "ESP32_GENERIC_S3": "xtensa",
    "PYBV11": "thumb2 vfp",
    "RPI_PICO": "thumb1",
    "RPI_PICO_W": "thumb1",
    "NETDUINOPLUS2": "thumb2 vfp",
}


def modules_of(board: str) -> set[str]:
    """What firmware has of the runtime's files, without those for a PC and other machines."""
    files = {*bundle.everything()} - {"host_pc.py"}
    return {f"wamr/{file}" for file in bundle.bundled(files, ITS_OWN[board], True)}


DEB822 = """\
# The security archive comes first here, and is not the one.
Types: deb
URIs: http://security.example.org/debian-security
Suites: bookworm-security
Components: main

Types: deb deb-src
URIs: http://mirror.example.org/debian http://other.example.org/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
"""

ONE_LINE = """\
# deb http://commented.example.org/debian bookworm main
deb http://ppa.example.org/tool stable extras
deb [arch=amd64 signed-by=/usr/share/key.gpg] https://mirror.example.org/debian bookworm main
"""


def entries_of(tmp_path: Path, **files: str) -> list[dict[str, str]]:
    """The entries of an /etc/apt that holds just these files."""
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return source.machine_entries(tmp_path)


def test_source_package_from_deb822(tmp_path: Path) -> None:
    assert source.source_entry(entries_of(tmp_path, debian_sources=DEB822)).splitlines() == [
        "Types: deb-src",
        "URIs: http://mirror.example.org/debian",
        f"Suites: {source.SUITE}",
        "Components: main",
        "Signed-By: ",
        " -----BEGIN PGP PUBLIC KEY BLOCK-----",
        " .",
        " abc",
    ]


def test_source_package_from_one_line(tmp_path: Path) -> None:
    assert source.source_entry(entries_of(tmp_path, debian_list=ONE_LINE)).splitlines() == [
        "Types: deb-src",
        "URIs: https://mirror.example.org/debian",
        f"Suites: {source.SUITE}",
        "Components: main",
        "Signed-By: /usr/share/key.gpg",
    ]


@pytest.mark.parametrize(
    "text", ["", DEB822.replace("Types: deb deb-src", "Enabled: no\nTypes: deb")]
)
def test_no_source_package(tmp_path: Path, text: str) -> None:
    with pytest.raises(source.SourceError, match="none of the machine's package sources"):
        source.source_entry(entries_of(tmp_path, debian_sources=text))


def run_source(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "firmware" / "source.py"), "unused"],
        env={"MICROPY_DIR": str(tree)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("version", [source.VERSION, "1.9.4", None])
def test_micropy_dir(tmp_path: Path, version: str | None) -> None:
    """A tree of one's own is taken if it is the right version, and left alone in any case."""
    if version:
        (tmp_path / "py").mkdir()
        numbers = zip(("MAJOR", "MINOR", "MICRO"), version.split("."))
        lines = [f"#define MICROPY_VERSION_{part} {number}\n" for part, number in numbers]
        (tmp_path / "py" / "mpconfig.h").write_text("".join(lines))
    before = sorted(tmp_path.rglob("*"))
    done = run_source(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    assert (done.returncode == 0) == (version == source.VERSION)
    if done.returncode:
        assert f"{source.VERSION} is wanted" in done.stderr


def test_package_json_is_up_to_date() -> None:
    """Run `make package.json` after adding or removing a module of the runtime."""
    assert (ROOT / "package.json").read_text() == package.source_package()


def test_version_of_the_compiler_is_up_to_date() -> None:
    """Run `make package.json` after changing the compiler: code that it made before is stale."""
    assert package.VERSION_FILE.read_text() == package.compiler_version()


@pytest.mark.parametrize("group", bundle.GROUPS)
def test_files_that_become_one(group: str) -> None:
    """All names in them are known, and none means two things."""
    text = bundle.bundled(bundle.everything())[f"{group}.py"]
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F811,F821"]
    command += ["--config", 'builtins=["const"]', "-"]  # which mpy-cross knows
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_name_that_means_two_things() -> None:
    files = [bundle.Source(f"compiler/{name}.py") for name in ("values", "code")]
    with pytest.raises(bundle.BundleError, match="code.py: _WIDE means something else in core"):
        bundle.merged("core", files)


def test_one_version() -> None:
    text = (ROOT / "wamr_mp" / "wamr" / "__init__.py").read_text()
    assert re.search(r'^__version__ = "(.*)"', text, re.M).group(1) == package.version()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "boards").glob("*/board.json")), ids=lambda path: path.parent.name
)
def test_board_json(path: Path) -> None:
    assert sorted(json.loads(path.read_text())) == BOARD_JSON


def test_every_board_is_known() -> None:
    """So that a new folder does not go without a test."""
    folders = {path.name for path in (ROOT / "boards").iterdir() if path.is_dir()}
    assert folders == {*PORTS, *BOARDS, "UNIX"}


@pytest.mark.device
@pytest.mark.parametrize("name", PORTS)
def test_manifest(name: str, tmp_path: Path) -> None:
    """A real board's manifest names every module of the runtime that is for its machine, beside
    what its port freezes.

    The libraries that ports take from micropython-lib are not part of every source package of
    MicroPython, so empty ones stand in for them.
    """
    tree = Path(os.environ.get("MICROPY_DIR") or BUILD / "micropython")
    port = tree / "ports" / PORTS[name]
    assert port.is_dir(), "MicroPython's source is missing: run `make firmware`"
    for manifest in [
        *(port / "boards").glob("manifest*.py"),
        *(port / "boards").glob("*/manifest.py"),
    ]:
        for library in re.findall(r'require\("([\w.-]+)"', manifest.read_text()):
            folder = tmp_path / "micropython" / library
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "manifest.py").write_text("")
    command = [
        sys.executable,
        str(tree / "tools" / "manifestfile.py"),
        "--freeze",
        "--top",
        str(tree),
    ]
    command += [
        "--lib",
        str(tmp_path),
        "--port",
        str(port),
        "--board",
        str(port / "boards" / name),
    ]
    done = subprocess.run(
        [*command, str(ROOT / "boards" / name / "manifest.py")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    frozen = set(re.findall(r"target_path='(wamr/.*?)'", done.stdout))
    assert frozen == modules_of(name)
    assert "asyncio/core.py" in done.stdout


@pytest.mark.device
def test_compiled_package(tmp_path: Path) -> None:
    """The runtime as .mpy files on a board's flash disk, as mip puts them there, runs an app."""
    package.compile_modules(str(BUILD / "mpy-cross" / "mpy-cross"), tmp_path)
    urls = json.loads((tmp_path / "package.json").read_text())["urls"]
    assert len(urls) == len(bundle.bundled(bundle.everything()))
    with Board("NETDUINOPLUS2") as board:
        for folder in sorted(
            {str(parent) for target, _ in urls for parent in Path("/lib", target).parents} - {"/"}
        ):
            board.exec(f"import os; os.mkdir({folder!r})")
        for target, address in urls:
            board.put(tmp_path / address, f"/lib/{target}")
        board.put(ROOT / "apps" / "hello" / "hello.wasm", "/hello.wasm")
        board.soft_reset()
        board.exec("import sys; sys.path.insert(0, '/lib'); import wamr")
        assert board.exec("print(wamr.__file__)").strip() == "/lib/wamr/__init__.mpy"
        assert board.exec("wamr.run('/hello.wasm')").startswith("Hello world!")


@pytest.mark.device
def test_flash_of_engine_and_libc() -> None:
    """They take at most 64 KiB of an STM32F405's flash, and with WASI at most 70."""
    sizes = size.module_sizes(BUILD / "firmware" / "NETDUINOPLUS2", size.NM["arm"])
    assert {file for file in sizes if file.endswith(".py")} == modules_of("NETDUINOPLUS2")
    parts = dict.fromkeys(size.PARTS, 0)
    for file, n in sizes.items():
        parts[size.part_of(file)] += n
    assert parts["engine"] + parts["libc"] <= 64 * 1024
    assert parts["engine"] + parts["libc"] + parts["wasi"] <= 70 * 1024


HELLO = """
import gc
gc.collect()
start = gc.mem_alloc()
import wamr
gc.collect()
print(gc.mem_alloc() - start)
data = {data!r}
gc.collect()
start = gc.mem_alloc()
from wamr.program import Program
program = Program(wamr.Module(data), engine="portable", stdout=lambda data: None)
program.main()
gc.collect()
print(gc.mem_alloc() - start - len(program.instance.memory.buf))
"""


@pytest.mark.device
def test_ram_of_hello() -> None:
    """Importing the runtime takes at most 4 KiB of an STM32F405's heap; hello, 10 besides its
    linear memory."""
    data = (ROOT / "apps" / "hello" / "hello.wasm").read_bytes()
    with Board("NETDUINOPLUS2") as board:
        imported, hello = map(int, board.exec(HELLO.format(data=data)).split())
    assert imported <= 4096
    assert hello <= 10240


def test_source_by_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The release tag is cloned with the submodule that holds MicroPython's libraries."""
    # git takes submodules from local folders only when told so, and commits only with a name.
    settings = {
        "protocol.file.allow": "always",
        "user.name": "test",
        "user.email": "test@example.org",
    }
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(settings)))
    for number, (key, value) in enumerate(settings.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)

    def git(folder: Path, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)

    library, upstream = tmp_path / "library", tmp_path / "upstream"
    for repository in (library, upstream):
        repository.mkdir()
        git(repository, "init")
        (repository / "README.md").write_text("A repository\n")
        git(repository, "add", ".")
        git(repository, "commit", "-m", "One")
    git(upstream, "submodule", "add", str(library), "lib/micropython-lib")
    git(upstream, "commit", "-m", "Two")
    monkeypatch.setattr(source, "REPOSITORY", upstream.as_uri())
    with pytest.raises(source.SourceError, match="has no tag"):
        source.by_git(tmp_path / "untagged")
    git(upstream, "tag", f"v{source.VERSION}")
    source.by_git(tmp_path / "target")
    assert (tmp_path / "target" / "lib" / "micropython-lib" / "README.md").is_file()
