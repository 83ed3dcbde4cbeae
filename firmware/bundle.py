"""The runtime's files as firmware has them: those of a group in compiler/__init__.py are one
module there, of the group's name.

To find a file costs a board 60,000 instructions, to import names from another one 10,000, and a
module takes 100 bytes of RAM, each name that it imports or defines 8 to 12. In the compiler, which
is loaded anew for each app, that would be a third of all. The numbers of context.py stand where
they are used, for the same reason.

    python3 firmware/bundle.py DIR    write them there, to be looked at
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "wamr_mp" / "wamr"
PACKAGE = "wamr.compiler"
FOLDER = "compiler"
INIT = f"{FOLDER}/__init__.py"
CONTEXT = f"{FOLDER}/context.py"
BUILTINS = ("len", "range", "list", "dict", "bytes")


class BundleError(Exception):
    """A name stands for two things in one group."""


def read_groups() -> dict[str, list[str]]:
    """Group: its files, each after what it needs."""
    for node in ast.parse((SOURCES / INIT).read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "GROUPS":
            groups = ast.literal_eval(node.value)
            return {name: files.split() for name, files in groups.items()}
    raise BundleError(f"{INIT} has no GROUPS")


def read_constants() -> dict[str, int]:
    """The numbers of CONTEXT, by name."""
    tree = ast.parse((SOURCES / CONTEXT).read_text())
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    values = {ast.unparse(node.targets[0]): node.value for node in assigned}
    return {k: v.value for k, v in values.items() if isinstance(v, ast.Constant)}


GROUPS = read_groups()
GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}
CONSTANTS = read_constants()


class Source:
    """A file, as text of which parts are replaced. group: what it becomes part of."""

    def __init__(self, path: Path, group: str | None = None) -> None:
        self.path = path
        self.group = group
        text = path.read_text()
        self.lines = text.split("\n")
        self.tree = ast.parse(text)
        # Parts of lines: line, start, end, text for it.
        self.edits: list[tuple[int, int, int, str]] = []

    def replace(self, node: ast.stmt | ast.expr, text: str) -> None:
        """Replace a statement or an expression; empty text: remove it."""
        for i in range(node.lineno, node.end_lineno):
            self.edits.append((i, 0, len(self.lines[i]), ""))
        last = node.end_col_offset if node.lineno == node.end_lineno else None
        self.edits.append((node.lineno - 1, node.col_offset, last, text))

    def result(self) -> list[str]:
        """The lines, with all that replaced."""
        lines = self.lines[:]
        for i, start, end, text in sorted(self.edits, key=lambda edit: edit[:2], reverse=True):
            lines[i] = lines[i][:start] + text + (lines[i][end:] if end is not None else "")
        return lines

    def inline(self) -> None:
        """The numbers of CONTEXT stand where they are used."""
        own = self.path == SOURCES / CONTEXT
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "context":
                name = node.attr
            elif own and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                name = node.id
            elif own and isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                self.replace(node, "")
                continue
            else:
                continue
            if name in CONSTANTS:
                self.replace(node, str(CONSTANTS[name]))

    def unqualify(self, module: str) -> None:
        """`module.name` becomes `name`: both are in this group."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.arg) and node.arg == module:
                raise BundleError(f"{self.path.name}: {module} is a module and a parameter")
            if not isinstance(node, ast.Name) or node.id != module:
                continue
            if not isinstance(node.ctx, ast.Load):
                raise BundleError(f"{self.path.name}: {module} is a module and a variable")
            line, start = node.lineno - 1, node.col_offset
            end = start + len(f"{module}.")
            assert self.lines[line][start:end] == f"{module}."
            self.edits.append((line, start, end, ""))

    def redirect(self, node: ast.ImportFrom) -> str:
        """What imports the same in firmware."""
        assert not any(alias.asname for alias in node.names)
        names = [alias.name for alias in node.names]
        if node.module != PACKAGE:
            group = GROUP_OF.get(node.module[len(PACKAGE) + 1 :])
            if group is None:
                return ast.unparse(node)
            here = group == self.group
            return "" if here else f"from {PACKAGE}.{group} import {', '.join(names)}"
        lines = []
        for name in names:
            group = GROUP_OF.get(name)
            if group is None:
                lines.append(f"from {PACKAGE} import {name}")
            elif group == self.group:
                self.unqualify(name)
            else:
                lines.append(f"from {PACKAGE} import {group} as {name}")
        return "; ".join(lines)

    def redirect_all(self) -> None:
        self.inline()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
                self.replace(node, self.redirect(node) or ("pass" if node.col_offset else ""))


def merged(group: str) -> str:
    """The source of the module that a group becomes."""
    meanings: dict[str, str] = {}  # of global names, as source
    # Built-in functions are found at once where they are global names too. In a module of many
    # names it takes long to find that one is not there.
    parts = [f"{name} = {name}" for name in BUILTINS]
    for name in GROUPS[group]:
        source = Source(SOURCES / FOLDER / f"{name}.py", group)
        source.redirect_all()
        for node in source.tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                meaning = {node.name: f"that of {name}.py"}
            elif isinstance(node, ast.Assign):
                meaning = {ast.unparse(t): ast.unparse(node.value) for t in node.targets}
            elif isinstance(node, ast.ImportFrom) and not node.module.startswith(PACKAGE):
                meaning = {alias.name: node.module for alias in node.names}
            else:
                continue
            if all(word in meanings for word in meaning):
                source.replace(node, "")  # once is enough
            for word, text in meaning.items():
                if meanings.setdefault(word, text) != text:
                    raise BundleError(f"{name}.py: {word} means something else in {group}")
        parts.extend(source.result())
    return "\n".join(line for i, line in enumerate(parts) if not is_again(line, parts[:i])) + "\n"


def is_again(line: str, before: list[str]) -> bool:
    """Whether this imports what was imported before."""
    return line.startswith("from ") and line in before


def bundled(files: Iterable[str]) -> dict[str, str]:
    """What firmware has for these files of the runtime: text, by file."""
    files = set(files)
    found = {}
    for group, names in GROUPS.items():
        members = {f"{FOLDER}/{name}.py" for name in names}
        if members <= files:
            found[f"{FOLDER}/{group}.py"] = merged(group)
            files -= members
    for file in files:
        source = Source(SOURCES / file)
        source.redirect_all()
        if file == INIT:
            (node,) = (n for n in source.tree.body if ast.unparse(n).startswith("GROUPS"))
            source.replace(node, "GROUPS = {}")
        found[file] = "\n".join(source.result())
    return found


def write(files: Iterable[str], folder: str) -> list[str]:
    """Write that into a folder; return the files' names."""
    found = bundled(files)
    for file, text in found.items():
        path = Path(folder) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return sorted(found)


def everything() -> list[str]:
    return [path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.py")]


if __name__ == "__main__":
    write(everything(), sys.argv[1])
