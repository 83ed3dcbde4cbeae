"""The runtime's files as firmware has them: those that are always loaded together are one module
there: the groups in compiler/__init__.py, and TOGETHER.

To find a file costs a board 60,000 instructions, to import names from another one 10,000, and a
module takes 100 bytes of RAM, each name that it imports or defines 8 to 12. In the compiler, which
is loaded anew for each app, that would be a third of all. The numbers of context.py stand where
they are used, for the same reason. And firmware for one kind of machine has its target among the
rest of the compiler, as functions: see flatten.py.

    python3 firmware/bundle.py DIR    write them there, to be looked at
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from flatten import Flat
from unused import find_unused

SOURCES = Path(__file__).resolve().parent.parent / "wamr_mp" / "wamr"
PACKAGE = "wamr"
INIT = "compiler/__init__.py"
CONTEXT = "compiler/context.py"
ROUTINES = "compiler/routines.py"
MADE = "compiler/made.py"  # which takes its place
MACHINE = "compiler/machine.py"
# Other files that become one: that named last, after what it needs.
TOGETHER = (
    ["compiler/version", "compiler/cache"],
    ["compiler/machine", "compiler/in_place", "compiler/build"],
    ["engine/cells", "engine/native"],
    ["wasm/reader", "wasm/interface", "wasm/constexpr"],
)
# Files of the compiler for one kind of machine begin with its name.
MACHINES = {"rv32", "thumb1", "thumb2", "vfp", "x64", "xtensa"}
# The files that work on each opcode, and the target's own. Firmware can have them as machine code,
# made by MicroPython's native emitter: 62 KB of flash more (RV32: 82), a third less instructions
# to compile.
NATIVE = [
    f"compiler/{name}"
    for name in "assembler bounds control function loops memory numeric scan values".split()
]
BUILTINS = ("len", "range", "list", "dict", "bytes", "max")


# By module, the names that are imported; as dict, which keeps their order. "": modules.
Imports = dict[str, dict[str, None]]


class BundleError(Exception):
    """A name stands for two things in one group."""


def read_groups() -> dict[str, list[str]]:
    """What a group of INIT becomes: its files, each after what it needs; all without `.py`."""
    for node in ast.parse((SOURCES / INIT).read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "GROUPS":
            groups = ast.literal_eval(node.value)
            return {
                path_of(group): [f"compiler/{file}" for file in files.split()]
                for group, files in groups.items()
            }
    raise BundleError(f"{INIT} has no GROUPS")


def path_of(module: str) -> str:
    """The file of a module."""
    return module[len(PACKAGE) + 1 :].replace(".", "/")


def dotted(file: str) -> str:
    """The name of the module in a file."""
    return f"{PACKAGE}/{file}".replace("/", ".")


def read_constants() -> dict[str, int]:
    """The numbers of CONTEXT, by name."""
    tree = ast.parse((SOURCES / CONTEXT).read_text())
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    values = {ast.unparse(node.targets[0]): node.value for node in assigned}
    return {k: v.value for k, v in values.items() if isinstance(v, ast.Constant)}


LARGE = read_groups()
GROUPS = {**{names[-1]: names for names in TOGETHER}, **LARGE}
GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}
GROUP_OF[MADE[:-3]] = GROUP_OF[ROUTINES[:-3]]
CORE = GROUP_OF[ROUTINES[:-3]]
CONSTANTS = read_constants()


class Source:
    """A file, as text of which parts are replaced."""

    def __init__(self, file: str, group_of: dict[str, str] = GROUP_OF) -> None:
        self.path = SOURCES / file
        self.group_of = group_of
        self.group = group_of.get(file[:-3])
        text = self.path.read_text()
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
        # What is inserted goes before what stands there.
        order = sorted(self.edits, key=lambda edit: (*edit[:2], edit[1] != edit[2]), reverse=True)
        for i, start, end, text in order:
            lines[i] = lines[i][:start] + text + (lines[i][end:] if end is not None else "")
        return lines

    def reread(self) -> None:
        """Do these replacements now."""
        self.lines = self.result()
        self.tree = ast.parse("\n".join(self.lines))
        self.edits = []

    def blank(self, first: int, last: int) -> None:
        """Empty the lines from the first to the last, counted from 1 as nodes have them."""
        for i in range(first - 1, last):
            self.lines[i] = ""

    def leave_out(self, functions: set[ast.FunctionDef]) -> None:
        """Read it again without these functions of its tree."""
        for node in functions & {*ast.walk(self.tree)}:
            self.blank(node.lineno, node.end_lineno)
        self.reread()

    def inline_own(self) -> None:
        """The file's own numbers stand where they are used: another file's have the same names."""
        values: dict[str, int] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("const("):
                name = ast.unparse(node.targets[0])
                if name.startswith("_"):
                    values[name] = eval(ast.unparse(node.value.args[0]), {}, values)
                    self.replace(node, "")
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in values:
                value = values[node.id]
                self.replace(node, str(value) if value >= 0 else f"({value})")
        self.reread()

    def make_native(self) -> None:
        """Functions are frozen as machine code, by MicroPython's own native emitter."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                line, column = node.lineno - 1, node.col_offset
                self.edits.append(
                    (line, 0, column, f"{' ' * column}@micropython.native\n{' ' * column}")
                )

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
        for function in ast.walk(self.tree):
            if isinstance(function, ast.FunctionDef):
                self.check_locals(function, module)

    def check_locals(self, function: ast.FunctionDef, module: str) -> None:
        """What was `module.name` is no local variable there."""
        nodes = [*ast.walk(function)]
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        stored |= {n.arg for n in nodes if isinstance(n, ast.arg)}
        for node in nodes:
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == module:
                if node.attr in stored:
                    raise BundleError(f"{self.path.name}: {node.attr} is of {module}, and local")

    def redirect(self, node: ast.ImportFrom, imports: Imports) -> None:
        """Add what imports the same in firmware."""
        file = path_of(node.module)
        group = self.group_of.get(file)
        for alias in node.names:
            name = ast.unparse(alias)
            if group:
                if group != self.group:
                    imports[dotted(group)][name] = None
            elif (SOURCES / file / f"{name}.py").exists():
                found = self.group_of.get(f"{file}/{name}", f"{file}/{name}")
                if found == self.group:
                    self.unqualify(name)
                else:  # by its full name, which as part of the code takes no RAM
                    imports[""][f"{dotted(found)} as {name}"] = None
            elif name != "const":  # which nobody calls in what is compiled
                imports[node.module][name] = None

    def redirect_all(self) -> Imports:
        """What the file itself imports of the runtime; imports in functions stay there."""
        self.inline()
        imports: Imports = defaultdict(dict)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
                found = defaultdict(dict) if node.col_offset else imports
                self.redirect(node, found)
                self.replace(node, as_text(found, "; ") or "pass" if node.col_offset else "")
        return imports


def as_text(imports: Imports, separator: str) -> str:
    return separator.join(
        f"from {module} import {', '.join(names)}" if module else f"import {', '.join(names)}"
        for module, names in imports.items()
    )


def merged(group: str, sources: list[Source]) -> str:
    """The source of the module that these files become."""
    meanings: dict[str, str] = {}  # of global names, as source
    imports: Imports = defaultdict(dict)
    # Built-in functions are found at once where they are global names too. In a module of many
    # names it takes long to find that one is not there.
    parts = [f"{name} = {name}" for name in BUILTINS] if group in LARGE else []
    for source in sources:
        for module, names in source.redirect_all().items():
            imports[module].update(names)
        for node in source.tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                meaning = {node.name: f"that of {source.path.name}"}
            elif isinstance(node, ast.Assign):
                meaning = {ast.unparse(t): ast.unparse(node.value) for t in node.targets}
            elif isinstance(node, ast.Import):
                meaning = {alias.name: "a module" for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.module.startswith(PACKAGE):
                meaning = {alias.name: node.module for alias in node.names}
            else:
                continue
            if all(word in meanings for word in meaning):
                source.replace(node, "")  # once is enough
            for word, text in meaning.items():
                if meanings.setdefault(word, text) != text:
                    problem = f"{source.path.name}: {word} means something else in {group}"
                    raise BundleError(problem)
        parts.extend(source.result())
    return "\n".join([as_text(imports, "\n"), *parts]) + "\n"


def bundled(
    files: Iterable[str], machine: str | None = None, native: bool = False
) -> dict[str, str]:
    """What firmware has for these files of the runtime: text, by file. machine: what it makes code
    for, see manifest.py. Stubs and routines are there ready made then, and what emits any is not.
    native: whether NATIVE is machine code.
    """
    group_of, groups = for_machine(machine.split()) if machine else (GROUP_OF, GROUPS)
    sources = {file: Source(file, group_of) for file in files}
    made = ""
    if machine:
        for name in MACHINES - {*machine.split()}:
            for file in [file for file in sources if Path(file).stem.split("_")[0] == name]:
                sources.pop(file)
        leave_out_emitters(sources)
        made = flattened(machine.split()[-1], groups[CORE], sources)
        if native:
            for file in [*NATIVE, f"compiler/{machine.split()[0]}"]:
                sources[f"{file}.py"].make_native()
    else:
        sources.pop(MADE, None)
    found = {}
    for group, names in groups.items():
        members = [f"{name}.py" for name in names]
        if made:
            members = [MADE if file == ROUTINES else file for file in members]
        if members and all(file in sources for file in members):
            found[f"{group}.py"] = merged(group, [sources.pop(file) for file in members])
    for file, source in sources.items():
        imports = source.redirect_all()
        if file == INIT:
            (node,) = (n for n in source.tree.body if ast.unparse(n).startswith("GROUPS"))
            source.replace(node, "GROUPS = {}")
        found[file] = "\n".join([as_text(imports, "\n"), *source.result()])
    if made:
        found[f"{CORE}.py"] += made
    return found


def for_machine(names: list[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The groups where there is only this target (and that which it builds upon): it is part of
    CORE. By file, and by group.
    """
    import make_routines  # which loads the compiler

    if names[:-1] != [base for base in [make_routines.base_of(names[-1])] if base]:
        raise BundleError(f"not one target, with what it builds upon before it: {names}")
    groups = {**GROUPS}
    for name in names:
        file = f"compiler/{name}"
        groups[CORE] = [*groups[CORE], *groups.pop(file, [file])]
    return {**GROUP_OF, **dict.fromkeys(groups[CORE], CORE)}, groups


def flattened(name: str, files: list[str], sources: dict[str, Source]) -> str:
    """Makes functions of the methods of the target of this name, in sources; returns what is added
    to CORE: its class, with stubs and routines ready made.
    """
    import make_routines

    target, arch = make_routines.target_of(name)
    members = [sources[MADE if f"{file}.py" == ROUTINES else f"{file}.py"] for file in files]
    for source in members:
        source.inline()
        source.inline_own()
    kind = Flat(target, members).make()
    trees = [source.tree for source in sources.values()]
    unused = find_unused([*trees, ast.parse(kind)], [source.tree for source in members], set())
    for source in members:
        source.leave_out(unused)
    for node in ast.walk(sources[MACHINE].tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if sources[MACHINE].group_of.get(path_of(node.value)) == CORE:
                sources[MACHINE].replace(node, repr(dotted(CORE)))
    return f"\n{kind}    MADE = {make_routines.make(arch)!r}\n"


def leave_out_emitters(sources: dict[str, Source]) -> None:
    """Of stubs and routines; and what only these call."""
    routines = sources.pop(ROUTINES)
    for node in ast.walk(routines.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "wamr.compiler":
            for alias in node.names:
                if alias.name != "context":
                    sources.pop(f"compiler/{alias.name}.py", None)
    for file in [file for file in sources if file.endswith("_routines.py")]:
        sources.pop(file)
    kept = {file[:-3] for file in (MADE, "compiler/function.py")}
    targets = [s for file, s in sources.items() if s.group in LARGE and file[:-3] not in kept]
    targets += [s for file, s in sources.items() if file == "compiler/vfp.py"]
    unused = find_unused(
        [source.tree for source in sources.values()],
        [source.tree for source in targets],
        {"stubs", "subroutine"},
    )
    for source in targets:
        source.leave_out(unused)


def write(
    files: Iterable[str], folder: str, machine: str | None = None, native: bool = False
) -> list[str]:
    """Write that into a folder; return the files' names, first those that are imported anew for
    each app: to find one, MicroPython looks through the names of all that are frozen before it.
    """
    found = bundled(files, machine, native)
    for file, text in found.items():
        path = Path(folder) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return sorted(found, key=lambda file: (not file.startswith(("compiler/", "wasm/")), file))


def everything() -> list[str]:
    return [path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.py")]


if __name__ == "__main__":
    write(everything(), sys.argv[1])
