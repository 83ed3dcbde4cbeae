"""An assembler's classes as plain functions, in firmware that has a single one.

On a board a call of a method takes 250 instructions more than that of a function, 180 more for
each class above the one that has it; an attribute of a class 1,000. And what a module defines is
forgotten at once, what a class has not. So there, methods of the target's class, and of those
above it, become functions: `asm.move(d, s)` is `asm_move(asm, d, s)`. What a method overrides is
left out, unless it is called by its class: `Thumb2.move(self, d, s)` is `Thumb2_move(self, d, s)`.
Constants of the classes stand where they are used; `__init__` remains.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundle import Source

PREFIX = "asm_"
# What an instance has itself, as it is found faster there: nothing.
OFTEN = "OFTEN"


class FlattenError(Exception):
    """The classes do something for which there is no rule here."""


def classes_of(name: str, sources: Iterable[Source]) -> list[tuple[Source, ast.ClassDef]]:
    """The class and those above it, the topmost first."""
    for source in sources:
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                above = classes_of(ast.unparse(node.bases[0]), sources) if node.bases else []
                return [*above, (source, node)]
    raise FlattenError(f"there is no class {name}")


class Flat:
    """What the classes come to."""

    def __init__(self, name: str, sources: list[Source]) -> None:
        self.name = name
        self.sources = sources
        self.classes = classes_of(name, sources)
        self.names = [node.name for _, node in self.classes]
        self.constants: dict[str, str] = {}
        self.methods: dict[str, list[str]] = {}  # the classes that define them
        for _, node in self.classes:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name != "__init__":
                    self.methods.setdefault(item.name, []).append(node.name)
                elif isinstance(item, ast.Assign):
                    self.constants[ast.unparse(item.targets[0])] = ast.unparse(item.value)
        self.called: set[tuple[str, str]] = set()  # class and method, where called by its class

    def make(self) -> str:
        """Make functions of all methods; returns the source of the class that remains."""
        self.rewrite_calls()
        return self.make_functions()

    def function(self, kind: str, method: str) -> str:
        """The function that the method becomes which this class has, or the next above."""
        index = self.names.index(kind)
        kind = [k for k in self.methods[method] if self.names.index(k) <= index][-1]
        if kind == self.methods[method][-1]:
            return PREFIX + method
        self.called.add((kind, method))
        return f"{kind}_{method}"

    def rewrite_calls(self) -> None:
        """All calls in the sources, and uses of constants."""
        for source in self.sources:
            inside = {
                inner
                for owner, node in self.classes
                if owner is source
                for inner in ast.walk(node)
            }
            done: set[ast.AST] = set()
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Call):
                    self.rewrite_call(source, node, inside, done)
                elif isinstance(node, ast.Attribute) and self.is_asm(node.value, node in inside):
                    text = self.constants.get(node.attr)
                    if text in ("True", "False") or text and text.isdigit():
                        source.replace(node, text)
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Attribute) and node.attr in self.methods:
                    if self.is_asm(node.value, node in inside) and node not in done:
                        raise FlattenError(f"{ast.unparse(node)} is not called where it stands")
            source.reread()

    def is_asm(self, node: ast.expr, inside: bool) -> bool:
        text = ast.unparse(node)
        return text == "asm" or text.endswith(".asm") or inside and text == "self"

    def rewrite_call(
        self, source: Source, call: ast.Call, inside: set[ast.AST], done: set[ast.AST]
    ) -> None:
        chosen = [call.func]
        if isinstance(call.func, ast.IfExp):  # (asm.x if … else asm.y)(…)
            chosen = [call.func.body, call.func.orelse]
        for node in chosen:
            if not isinstance(node, ast.Attribute) or node.attr not in self.methods:
                return
            if ast.unparse(node.value) in self.names:
                source.replace(node, self.function(ast.unparse(node.value), node.attr))
                return
            if not self.is_asm(node.value, node in inside):
                return
        for node in chosen:
            done.add(node)
            source.replace(node, self.function(self.name, node.attr))
        line = call.func.end_lineno - 1
        at = source.lines[line].index("(", call.func.end_col_offset) + 1
        text = ast.unparse(chosen[0].value) + (", " if call.args else "")
        source.edits.append((line, at, at, text))

    def make_functions(self) -> str:
        """Of all methods; returns the source of the class that remains."""
        init = []
        for source in self.sources:
            for node in [n for n in source.tree.body if isinstance(n, ast.ClassDef)]:
                if node.name not in self.names:
                    if any(ast.unparse(base) in self.names for base in node.bases):
                        source.blank(node.lineno, node.end_lineno)  # a class for others
                    continue
                source.blank(node.lineno, node.body[0].lineno - 1)
                for item in node.body:
                    if isinstance(item, ast.FunctionDef) and item.name != "__init__":
                        self.make_function(source, node.name, item)
                        continue
                    if isinstance(item, ast.FunctionDef):
                        init = source.lines[item.lineno - 1 : item.end_lineno]
                    source.blank(item.lineno, item.end_lineno)
            source.reread()
        constants = {**self.constants, OFTEN: "()"}
        lines = [f"class {self.name}:", *(f"    {k} = {v}" for k, v in constants.items()), *init]
        return "\n".join([*lines, ""])

    def make_function(self, source: Source, kind: str, method: ast.FunctionDef) -> None:
        last = kind == self.methods[method.name][-1]
        if not last and (kind, method.name) not in self.called:
            source.blank(method.lineno, method.end_lineno)
            return
        for i in range(method.lineno - 1, method.end_lineno):
            source.lines[i] = source.lines[i][4:]
        name = PREFIX + method.name if last else f"{kind}_{method.name}"
        i = method.lineno - 1
        source.lines[i] = source.lines[i].replace(f"def {method.name}(", f"def {name}(", 1)
