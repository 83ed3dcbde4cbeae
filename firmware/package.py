"""Make the runtime installable with mip on a stock board.

    python3 firmware/package.py json              write package.json, which installs the sources,
                                                  and the version of the compiler
    python3 firmware/package.py mpy MPY_CROSS DIR compile them into DIR, with a package.json there

The sources are compiled on the board when they are imported, which takes more RAM than small chips
have; for these there is the second form.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bundle

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "wamr_mp"


def version() -> str:
    return re.search(r'version="(.*?)"', (ROOT / "manifest.py").read_text()).group(1)


def modules() -> list[str]:
    """The runtime's files, relative to SOURCES."""
    return sorted(path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.py"))


def package_json(files: list[str], folder: str = "") -> str:
    """What mip reads. Addresses are relative to the file itself, so any copy of this works."""
    urls = ",\n".join(f"    {json.dumps([file, folder + file])}" for file in files)
    return (
        f'{{\n  "version": {json.dumps(version())},\n  "urls": [\n{urls}\n  ],\n  "deps": []\n}}\n'
    )


def source_package() -> str:
    """The content of the repository's package.json."""
    return package_json(modules(), "wamr_mp/")


VERSION_FILE = SOURCES / "wamr" / "compiler" / "version.py"


def compiler_version() -> str:
    """The content of VERSION_FILE: machine code that is kept is that of the same compiler only."""
    hashed = hashlib.sha256()
    for path in sorted({*VERSION_FILE.parent.glob("*.py")} - {VERSION_FILE}):
        hashed.update(path.read_bytes())
    return (
        f'"""A hash of the compiler, written by `make package.json`: see cache.py."""\n\n'
        f'VERSION = "{hashed.hexdigest()[:8]}"\n'
    )


def compile_modules(mpy_cross: str, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    files = []
    with tempfile.TemporaryDirectory() as folder:
        bundle.write(bundle.everything(), folder + "/wamr")
        for source in sorted(Path(folder).rglob("*.py")):
            file = source.relative_to(folder).as_posix()
            compiled = target / file.replace(".py", ".mpy")
            compiled.parent.mkdir(parents=True, exist_ok=True)
            # Without line numbers, as MicroPython's own frozen modules.
            command = [mpy_cross, "-O3", "-s", file, "-o", str(compiled), str(source)]
            subprocess.run(command, check=True)
            files.append(compiled.relative_to(target).as_posix())
    (target / "package.json").write_text(package_json(files))
    size = sum((target / file).stat().st_size for file in files)
    print(f"{len(files)} modules, {size} bytes. Install them on a board with:")
    print(f"  mpremote mip install {target / 'package.json'}")


def main() -> None:
    if sys.argv[1:] == ["json"]:
        (ROOT / "package.json").write_text(source_package())
        VERSION_FILE.write_text(compiler_version())
    elif len(sys.argv) == 4 and sys.argv[1] == "mpy":
        compile_modules(sys.argv[2], Path(sys.argv[3]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
