"""`wamr new`: a folder with an app to begin with."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click

from wamr_cli.build import LIBRARY
from wamr_cli.errors import OK
from wamr_cli.sdk import sdk_folder

# --lang, and the part of the SDK that such projects have a copy of ("": `wamr build` brings it).
LIBRARIES = {"c": "", "rust": "rust", "ts": "assemblyscript", "zig": "zig"}
_PLACEHOLDER = "@NAME@"


@click.command(short_help="Make a folder with a small app in it.")
@click.option(
    "--lang",
    type=click.Choice(list(LIBRARIES)),
    default="c",
    show_default=True,
    help="ts is AssemblyScript.",
)
@click.argument("name", type=click.Path(path_type=Path))
def new(name: Path, lang: str) -> int:
    """Make the folder NAME with a small app in it: it answers requests and publishes an event."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}", name.name):
        raise click.UsageError(
            f"{name.name!r} is no name for an app: letters, digits, - and _, a letter first"
        )
    if name.exists():
        raise click.UsageError(f"{name} is there already")
    sdk = sdk_folder()
    template = sdk / "templates" / lang
    for source in sorted(template.rglob("*")):
        if source.is_file():
            target = name / source.relative_to(template)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text(encoding="utf-8")
            target.write_text(text.replace(_PLACEHOLDER, name.name), encoding="utf-8")
    if LIBRARIES[lang]:
        shutil.copytree(sdk / LIBRARIES[lang], name / LIBRARY)
    click.echo(f"{name} is made. Next:\n  cd {name}\n  wamr build")
    return OK
