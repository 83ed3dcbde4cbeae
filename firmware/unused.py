"""Functions and methods that nothing mentions by name, as when what used them is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def mentioned(node: ast.AST, unused: set[ast.FunctionDef]) -> Iterable[str]:
    """What is mentioned outside of what is unused: `name`, `.attribute`; a text may be either."""
    if node in unused:
        return
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield "." + node.attr
        yield node.attr  # of a module
    elif isinstance(node, ast.alias):
        yield node.name
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
        yield "." + node.value
    for child in ast.iter_child_nodes(node):
        yield from mentioned(child, unused)


def functions(tree: ast.Module) -> Iterable[tuple[str, ast.FunctionDef]]:
    """Those of a file and of its classes, by how they are mentioned."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                # (What begins with __ Python calls by itself.)
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("__"):
                    yield "." + method.name, method


def find_unused(
    trees: Iterable[ast.Module], candidates: Iterable[ast.Module], without: set[str]
) -> set[ast.FunctionDef]:
    """What is unused of the candidates, which are among the trees, without these methods."""
    trees = [*trees]
    known = [found for tree in candidates for found in functions(tree)]
    unused = {node for name, node in known if name[1:] in without}
    while True:
        names = {name for tree in trees for name in mentioned(tree, unused)}
        more = {node for name, node in known if name not in names} - unused
        if not more:
            return unused
        unused |= more
