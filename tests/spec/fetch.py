#!/usr/bin/env python3
"""Gets the official test suite by git and converts it with wabt's wast2json: `make spec`.

The commit is the last one of the suite whose top level is WebAssembly 2.0 (10 September 2025).
SIMD is left out, because the engine has none.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = "https://github.com/WebAssembly/testsuite"
COMMIT = "a8101597d3c3c660086c3cd1eedee608ff18d3c3"
TOP = Path(__file__).resolve().parent.parent.parent
SOURCE = TOP / "build" / "spec-source"
CONVERTED = TOP / "build" / "spec"
DONE = "CONVERTED"


class FetchError(Exception):
    """The suite could not be had; the message says what to do."""


def _need(tool: str, package: str) -> str:
    path = shutil.which(tool)
    if path is None:
        raise FetchError(f"{tool} is not installed: apt-get install {package}")
    return path


def _git(folder: Path, *arguments: str) -> str:
    command = [_need("git", "git"), "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FetchError(f"git {' '.join(arguments)} failed in {folder}:\n{done.stderr.strip()}")
    return done.stdout.strip()


def download(folder: Path, repository: str = REPOSITORY, commit: str = COMMIT) -> None:
    """Puts the pinned commit, without history, into the folder; nothing is done if it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        _git(folder, "init", "--quiet")
    try:
        if _git(folder, "rev-parse", "--verify", "--quiet", "HEAD") == commit:
            return
    except FetchError:
        pass  # a new repository has no HEAD
    print(f"fetching {repository} at {commit[:12]} …", flush=True)
    _git(folder, "fetch", "--quiet", "--depth", "1", repository, commit)
    _git(folder, "checkout", "--quiet", "--force", "FETCH_HEAD")


def convert_file(wast: Path, folder: Path) -> str | None:
    """Runs wast2json into folder/NAME/NAME.json; returns what it complained about."""
    target = folder / wast.stem
    target.mkdir(parents=True)
    tool = _need("wast2json", "wabt")
    # Run next to the file, so that the JSON names the source without a path.
    command = [tool, wast.name, "-o", str(target / f"{wast.stem}.json")]
    done = subprocess.run(command, cwd=wast.parent, capture_output=True, text=True, check=False)
    return (done.stderr or done.stdout).strip() or "unknown error" if done.returncode else None


def convert_all(source: Path, destination: Path) -> int:
    """Converts every .wast of the top level of source but SIMD's; returns how many there were.

    The destination appears only when all of them are converted.
    """
    wasts = [path for path in sorted(source.glob("*.wast")) if not path.name.startswith("simd_")]
    if not wasts:
        raise FetchError(f"{source} has no .wast files: delete it and run this again")
    _need("wast2json", "wabt")
    destination.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="spec-", dir=destination.parent))
    try:
        complaints = []
        for number, wast in enumerate(wasts, 1):
            print(f"\rconverting {number}/{len(wasts)} {wast.stem:<40}", end="", flush=True)
            complaint = convert_file(wast, work)
            if complaint:
                complaints.append(f"{wast.name}: {complaint.splitlines()[0]}")
        print()
        if complaints:
            listed = "\n  ".join(complaints)
            raise FetchError(
                f"wast2json refused {len(complaints)} of {len(wasts)} files; "
                f"a newer wabt may take them:\n  {listed}"
            )
        (work / DONE).write_text(COMMIT + "\n", encoding="utf-8")
        work.chmod(0o755)
        if destination.exists():
            shutil.rmtree(destination)
        os.replace(work, destination)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return len(wasts)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--from", dest="source", type=Path, help="a folder of .wast files, instead of git"
    )
    parser.add_argument(
        "--to", dest="destination", type=Path, default=CONVERTED, help=f"default {CONVERTED}"
    )
    options = parser.parse_args(arguments)
    try:
        if options.source is None:
            done = options.destination / DONE
            if done.exists() and done.read_text(encoding="utf-8").strip() == COMMIT:
                print(f"{options.destination} is up to date")
                return 0
            _need("wast2json", "wabt")
            download(SOURCE)
        count = convert_all(options.source or SOURCE, options.destination)
    except (FetchError, OSError) as error:
        print(f"fetch.py: {error}", file=sys.stderr)
        return 1
    print(f"{count} files of the suite are in {options.destination}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
