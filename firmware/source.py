"""Get MicroPython's source, the one release this project is built with.

    python3 firmware/source.py DIRECTORY

With MICROPY_DIR set, that tree is used and only looked at. Otherwise the source is put into
DIRECTORY once: by git where the upstream repository can be reached, else as the Debian source
package, fetched through a private apt configuration made from the machine's own package source, so
that nothing on the system changes. Nothing in the tree is ever edited.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "1.25.0"
REPOSITORY = "https://github.com/micropython/micropython"
# The Debian release whose package `micropython` is that version.
SUITE = "trixie"

# Debian's own releases by the names a package source may use for them.
DEBIAN_SUITES = {"stable", "oldstable", "oldoldstable", "testing", "sid", "unstable", SUITE}
DEBIAN_SUITES |= {"bullseye", "bookworm", "forky"}


class SourceError(Exception):
    """The source could not be had; the message says why and what to do."""


def version_of(tree: Path) -> str | None:
    """The version that a MicroPython tree says it is, None if it is not one."""
    try:
        text = (tree / "py" / "mpconfig.h").read_text()
    except OSError:
        return None
    parts = [
        re.search(rf"#define MICROPY_VERSION_{part} (\d+)", text)
        for part in ("MAJOR", "MINOR", "MICRO")
    ]
    return ".".join(part.group(1) for part in parts if part)


def by_git(target: Path) -> None:
    """Clone the release tag, with the one submodule that a frozen manifest needs."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    tag = f"v{VERSION}"
    look = ["git", "ls-remote", "--exit-code", REPOSITORY, f"refs/tags/{tag}"]
    try:
        found = subprocess.run(look, env=environment, capture_output=True, text=True, timeout=30)
    except subprocess.TimeoutExpired:
        raise SourceError(f"{REPOSITORY} did not answer") from None
    except FileNotFoundError:
        raise SourceError("git is not installed") from None
    if found.returncode:
        raise SourceError(
            (found.stderr or f"{REPOSITORY} has no tag {tag}").strip().splitlines()[-1]
        )
    print(f"source: cloning {REPOSITORY} {tag}", flush=True)
    clone = [
        "git",
        "-c",
        "advice.detachedHead=false",
        "clone",
        "--quiet",
        "--depth",
        "1",
        "--branch",
        tag,
    ]
    submodule = [
        "git",
        "-C",
        str(target),
        "submodule",
        "--quiet",
        "update",
        "--init",
        "--depth",
        "1",
    ]
    for command in ([*clone, REPOSITORY, str(target)], [*submodule, "lib/micropython-lib"]):
        if subprocess.run(command, env=environment).returncode:
            raise SourceError("git stopped: " + " ".join(command))


def deb822_entries(text: str) -> list[dict[str, str]]:
    """The stanzas of a .sources file; continuation lines keep their leading space, comments go."""
    entries = []
    for block in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace() and name:
                fields[name] += "\n" + line
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            entries.append(fields)
    return entries


def one_line_entries(text: str) -> list[dict[str, str]]:
    """The lines of a sources.list as stanzas of the same form."""
    entries = []
    for line in text.splitlines():
        match = re.match(r"\s*(deb(?:-src)?)\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if match:
            kind, options, uri, suite, components = match.groups()
            fields = {
                "types": kind,
                "uris": uri,
                "suites": suite,
                "components": components.strip(),
            }
            for option in (options or "").split():
                name, _, value = option.partition("=")
                fields[name.lower()] = value.replace(",", " ")
            entries.append(fields)
    return entries


def machine_entries(etc: Path = Path("/etc/apt")) -> list[dict[str, str]]:
    """All package sources that the machine is configured with."""
    entries = []
    folder = etc / "sources.list.d"
    for path in [
        etc / "sources.list",
        *sorted(folder.glob("*.list")),
        *sorted(folder.glob("*.sources")),
    ]:
        if path.is_file():
            read = deb822_entries if path.suffix == ".sources" else one_line_entries
            entries += read(path.read_text())
    return entries


def source_entry(entries: list[dict[str, str]]) -> str:
    """A .sources stanza for SUITE's source packages, from where the machine gets Debian."""
    for entry in entries:
        enabled = entry.get("enabled", "yes").lower() not in ("no", "false", "0")
        main = "main" in entry.get("components", "").split()
        if enabled and main and DEBIAN_SUITES & set(entry.get("suites", "").split()):
            break
    else:
        raise SourceError("none of the machine's package sources is Debian's main archive")
    lines = [
        "Types: deb-src",
        f"URIs: {entry['uris'].split()[0]}",
        f"Suites: {SUITE}",
        "Components: main",
    ]
    lines += [
        f"{name}: {entry[name.lower()]}"
        for name in ("Signed-By", "Trusted")
        if name.lower() in entry
    ]
    return "\n".join(lines) + "\n"


def by_apt(target: Path) -> None:
    """Fetch and unpack the Debian source package with folders of our own in place of apt's."""
    for tool in ("apt-get", "dpkg-source"):
        if not shutil.which(tool):
            raise SourceError(f"{tool} is not installed")
    own = target.parent.resolve() / "apt"
    shutil.rmtree(own, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "download"):
        (own / folder).mkdir(parents=True)
    sources = own / "debian.sources"
    sources.write_text(source_entry(machine_entries()))
    options = {
        "Dir::State::Lists": own / "lists",
        "Dir::Cache": own / "cache",
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Acquire::Languages": "none",
    }
    if os.geteuid() == 0:
        # apt's download user may not look into a folder below somebody's home.
        options["APT::Sandbox::User"] = "root"
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    print(f"source: fetching Debian's source package micropython from {SUITE}", flush=True)
    for command in (
        [*apt, "update"],
        [*apt, "source", "--only-source", "--download-only", "micropython"],
    ):
        result = subprocess.run(command, cwd=own / "download", capture_output=True, text=True)
        if result.returncode:
            raise SourceError(f"apt-get: {result.stderr.strip()}")
    (description,) = (own / "download").glob("*.dsc")
    # apt has checked the signature of the archive; the uploader's own key need not be known here.
    unpack = ["dpkg-source", "--no-check", "--no-copy", "--extract", str(description), str(target)]
    result = subprocess.run(unpack, capture_output=True, text=True)
    if result.returncode:
        raise SourceError(f"dpkg-source: {result.stderr.strip()}")
    shutil.rmtree(own)


def fetch(target: Path) -> None:
    """Make `target` the release, or nothing: it appears only when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    problems = []
    for way in (by_git, by_apt):
        shutil.rmtree(partial, ignore_errors=True)
        try:
            way(partial)
        except SourceError as error:
            problems.append(f"  {way.__name__.replace('_', ' ')}: {error}")
            continue
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
        return
    shutil.rmtree(partial, ignore_errors=True)
    sys.exit(
        f"source: MicroPython {VERSION} cannot be fetched:\n" + "\n".join(problems) + "\n"
        "Unpack its source yourself and set MICROPY_DIR to that folder."
    )


def main() -> None:
    own = os.environ.get("MICROPY_DIR")
    tree = Path(own) if own else Path(sys.argv[1])
    if not own and version_of(tree) is None:
        fetch(tree)
    found = version_of(tree)
    if found != VERSION:
        what = "not a MicroPython source tree" if found is None else f"MicroPython {found}"
        remedy = "set MICROPY_DIR to another" if own else "remove it"
        sys.exit(f"source: {tree} is {what}, and {VERSION} is wanted; {remedy} and try again")


if __name__ == "__main__":
    main()
