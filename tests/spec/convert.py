"""Converts one file of the official suite (JSON and modules) into a stream for a device.

A board has no room for half a megabyte of JSON, so the commands travel as short binary records
that `device_runner.py` reads one at a time. A record is a header of four bytes (operation, length
of the payload as 24 bits, little endian) and the payload; the first four bytes of the payload are
the line of the command in the .wast file. What a command refers to is resolved here: modules have
numbers, and a module is dropped as soon as no later command and no later import can reach it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAGIC = b"WST1"

# Operations; device_runner.py has the same letters.
MODULE = b"M"  # slot u16, name of the .wasm, module
REGISTER = b"R"  # slot u16, name: the instance becomes importable
FORGET = b"F"  # name: no later module imports it
DROP = b"D"  # slot u16: no later command uses it
INVOKE = b"I"  # slot u16, field, arguments, results: assert_return
ACTION = b"A"  # the same without results
GET = b"G"  # slot u16, field, result
TRAP = b"T"  # slot u16, field, arguments, text of the trap
INVALID = b"V"  # name, text, module: assert_invalid and assert_malformed
UNLINKABLE = b"L"  # name, text, module
UNINSTANTIABLE = b"U"  # name, text, module
SKIP = b"S"  # a module in text format
END = b"E"

_REFUSED = {
    "assert_invalid": INVALID,
    "assert_malformed": INVALID,
    "assert_unlinkable": UNLINKABLE,
    "assert_uninstantiable": UNINSTANTIABLE,
}
_VALUE_TYPES = {
    "i32": 0x7F,
    "i64": 0x7E,
    "f32": 0x7D,
    "f64": 0x7C,
    "funcref": 0x70,
    "externref": 0x6F,
}
_WIDTH = {0x7F: 4, 0x7E: 8, 0x7D: 4, 0x7C: 8, 0x70: 4, 0x6F: 4}
_NAN_CLASSES = {
    ("f32", "nan:canonical"): 1,
    ("f32", "nan:arithmetic"): 2,
    ("f64", "nan:canonical"): 3,
    ("f64", "nan:arithmetic"): 4,
}
# "Some reference that is not null", which newer versions of wast2json write for (ref.func).
_ANY_REFERENCE = {"funcref": 5, "externref": 6}
_NULL = 0xFFFFFFFF


class SuiteError(Exception):
    """The suite's files cannot be used; the message says which one and why."""


@dataclass
class _Command:
    operation: bytes
    line: int
    payload: bytes
    slot: int | None = None
    registered: str = ""
    imports: frozenset[str] = frozenset()


def _short(text: str) -> bytes:
    """A name, with its length in two bytes before it."""
    data = text.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(2, "little") + data


def _value(value: dict[str, Any], where: str) -> bytes:
    """One argument or expected result: its type code and its bits."""
    kind = value["type"]
    bits = value.get("value")
    if (kind, bits) in _NAN_CLASSES:
        return bytes([_NAN_CLASSES[kind, bits]])
    if kind not in _VALUE_TYPES:
        raise SuiteError(f"{where}: {kind} is no type of WebAssembly 2.0 without SIMD")
    code = _VALUE_TYPES[kind]
    if bits is None and kind in _ANY_REFERENCE:
        return bytes([_ANY_REFERENCE[kind]])
    number = _NULL if bits == "null" else int(bits)
    return bytes([code]) + number.to_bytes(_WIDTH[code], "little")


def _values(values: list[dict[str, Any]], where: str) -> bytes:
    return bytes([len(values)]) + b"".join(_value(value, where) for value in values)


def _leb(data: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return result, position


def imported_modules(data: bytes) -> frozenset[str]:
    """The module names in the import section of a well-formed module."""
    position = 8
    while position < len(data):
        section = data[position]
        size, position = _leb(data, position + 1)
        if section == 2:
            break
        position += size
    else:
        return frozenset()
    names = set()
    count, position = _leb(data, position)
    for _ in range(count):
        length, position = _leb(data, position)
        names.add(data[position : position + length].decode("utf-8", "surrogatepass"))
        position += length
        length, position = _leb(data, position)
        position += length
        kind = data[position]
        position += 1
        if kind == 0:
            _, position = _leb(data, position)
        elif kind == 3:
            position += 2
        else:
            position += kind == 1
            flags = data[position]
            _, position = _leb(data, position + 1)
            if flags & 1:
                _, position = _leb(data, position)
    return frozenset(names)


def _try_imports(data: bytes) -> frozenset[str]:
    try:
        return imported_modules(data)
    except (IndexError, UnicodeDecodeError):
        return frozenset()


class _Converter:
    def __init__(self, json_file: Path) -> None:
        self.folder = json_file.parent
        self.current: int | None = None
        self.named: dict[str, int] = {}
        self.count = 0
        try:
            self.document = json.loads(json_file.read_text(encoding="utf-8"))
            self.source = self.document["source_filename"].rsplit("/", 1)[-1]
        except (OSError, ValueError, KeyError) as error:
            raise SuiteError(f"{json_file}: not wast2json's JSON ({error})") from error

    def _module_file(self, command: dict[str, Any]) -> bytes:
        path = self.folder / command["filename"]
        try:
            return path.read_bytes()
        except OSError as error:
            raise SuiteError(f"{path}: {error.strerror}; get the suite again") from error

    def _slot(self, named: dict[str, Any], key: str, where: str) -> int:
        if key in named:
            if named[key] not in self.named:
                raise SuiteError(f"{where}: no module is called {named[key]}")
            return self.named[named[key]]
        if self.current is None:
            raise SuiteError(f"{where}: there is no module yet")
        return self.current

    def _command(self, command: dict[str, Any]) -> _Command:
        kind = command["type"]
        line = command["line"]
        where = f"{self.source}:{line}"
        if kind == "module":
            slot = self.current = self.count
            self.count += 1
            if "name" in command:
                self.named[command["name"]] = slot
            data = self._module_file(command)
            payload = slot.to_bytes(2, "little") + _short(command["filename"]) + data
            return _Command(MODULE, line, payload, slot, imports=_try_imports(data))
        if kind == "register":
            slot = self._slot(command, "name", where)
            payload = slot.to_bytes(2, "little") + _short(command["as"])
            return _Command(REGISTER, line, payload, slot, command["as"])
        if kind in _REFUSED:
            if command.get("module_type") == "text":
                return _Command(SKIP, line, b"")
            operation = _REFUSED[kind]
            data = self._module_file(command)
            imports = frozenset() if operation == INVALID else _try_imports(data)
            payload = _short(command["filename"]) + _short(command["text"]) + data
            return _Command(operation, line, payload, imports=imports)
        if kind not in ("action", "assert_return", "assert_trap", "assert_exhaustion"):
            raise SuiteError(f"{where}: unknown command {kind}")
        action = command["action"]
        slot = self._slot(action, "module", where)
        payload = slot.to_bytes(2, "little") + _short(action["field"])
        if action["type"] == "get":
            if kind == "assert_return":
                payload += _values(command["expected"], where)
            return _Command(GET, line, payload, slot)
        payload += _values(action["args"], where)
        if kind == "action":
            return _Command(ACTION, line, payload, slot)
        if kind == "assert_return":
            return _Command(INVOKE, line, payload + _values(command["expected"], where), slot)
        return _Command(TRAP, line, payload + _short(command["text"]), slot)

    def commands(self) -> list[_Command]:
        return [self._command(command) for command in self.document["commands"]]


def _last_uses(commands: list[_Command]) -> tuple[dict[int, list[int]], dict[int, list[str]]]:
    """After which command a slot, and a registered name, is not needed any more."""
    slots: dict[int, int] = {}
    names: dict[str, int] = {}
    for index, command in enumerate(commands):
        if command.slot is not None:
            slots[command.slot] = index
        if command.operation == REGISTER:
            names[command.registered] = index
        for name in command.imports:
            if name in names:
                names[name] = index
    drop: dict[int, list[int]] = {}
    forget: dict[int, list[str]] = {}
    for slot, index in slots.items():
        drop.setdefault(index, []).append(slot)
    for name, index in names.items():
        forget.setdefault(index, []).append(name)
    return drop, forget


def _record(operation: bytes, line: int, payload: bytes = b"") -> bytes:
    payload = line.to_bytes(4, "little") + payload
    return operation + len(payload).to_bytes(3, "little") + payload


def _stream(commands: list[_Command]) -> bytes:
    drop, forget = _last_uses(commands)
    out = [MAGIC]
    for index, command in enumerate(commands):
        out.append(_record(command.operation, command.line, command.payload))
        for name in forget.get(index, ()):
            out.append(_record(FORGET, command.line, _short(name)))
        for slot in drop.get(index, ()):
            out.append(_record(DROP, command.line, slot.to_bytes(2, "little")))
    out.append(_record(END, 0, len(commands).to_bytes(4, "little")))
    return b"".join(out)


def convert(json_file: Path) -> bytes:
    """The stream of one file of the suite."""
    return _stream(_Converter(json_file).commands())


@dataclass
class Segment:
    stream: bytes
    lines: set[int]


def segments(json_file: Path) -> list[Segment]:
    """The same in parts that share no module, so that each can have a fresh heap."""
    commands = _Converter(json_file).commands()
    drop, forget = _last_uses(commands)
    found: list[list[_Command]] = [[]]
    slots: set[int] = set()
    names: set[str] = set()
    for index, command in enumerate(commands):
        if command.operation in (MODULE, UNLINKABLE, UNINSTANTIABLE) and not (slots or names):
            found.append([])
        found[-1].append(command)
        if command.slot is not None:
            slots.add(command.slot)
        if command.operation == REGISTER:
            names.add(command.registered)
        slots -= set(drop.get(index, ()))
        names -= set(forget.get(index, ()))
    return [Segment(_stream(part), {command.line for command in part}) for part in found if part]
