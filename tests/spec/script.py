"""Writes tests of our own in the suite's form, so that the suite's runner runs them everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wat import wat

Value = dict[str, str]


def i32(number: int) -> Value:
    return {"type": "i32", "value": str(number & 0xFFFFFFFF)}


def i64(number: int) -> Value:
    return {"type": "i64", "value": str(number & 0xFFFFFFFFFFFFFFFF)}


class Script:
    """A list of commands: modules in text or binary form, and what is asserted of them."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []
        self.modules: list[bytes] = []

    def _command(self, type: str, **more: Any) -> None:
        self.commands.append({"type": type, "line": len(self.commands) + 1, **more})

    def _file(self, module: str | bytes) -> str:
        self.modules.append(wat(module) if isinstance(module, str) else module)
        return f"{len(self.modules) - 1}.wasm"

    def module(self, module: str | bytes, register: str | None = None) -> None:
        self._command("module", filename=self._file(module))
        if register:
            self._command("register", **{"as": register})

    def returns(self, field: str, arguments: list[Value], *results: Value) -> None:
        action = {"type": "invoke", "field": field, "args": arguments}
        self._command("assert_return", action=action, expected=list(results))

    def traps(self, field: str, arguments: list[Value], text: str) -> None:
        action = {"type": "invoke", "field": field, "args": arguments}
        self._command("assert_trap", action=action, text=text, expected=[])

    def refused(self, kind: str, module: str | bytes, text: str = "") -> None:
        """kind: invalid, malformed, unlinkable or uninstantiable."""
        file = self._file(module)
        self._command(f"assert_{kind}", filename=file, text=text, module_type="binary")

    def write(self, folder: Path, name: str) -> Path:
        """Writes the script like a file of the suite; returns its JSON."""
        for number, module in enumerate(self.modules):
            (folder / f"{number}.wasm").write_bytes(module)
        path = folder / f"{name}.json"
        document = {"source_filename": f"{name}.wast", "commands": self.commands}
        path.write_text(json.dumps(document), encoding="utf-8")
        return path
