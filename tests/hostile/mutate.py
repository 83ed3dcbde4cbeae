"""Makes broken, odd and nearly right modules out of good ones, the same ones for the same seed.

Most random damage is caught by the first length check, so half of the mutations keep the lengths
of sections and bodies right: they get deep into validation, and many of them run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HEADER = b"\0asm\1\0\0\0"
# Numbers at which something overflows, and bytes that mean something.
_NUMBERS = (0, 1, 2, 3, 10, 63, 64, 127, 128, 255, 256, 16383, 32767, 32768, 65535, 65536, 65537)
_NUMBERS += (1 << 20, 1 << 24, (1 << 28) - 1, 1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
_BYTES = bytes.fromhex(
    "00 01 02 03 04 05 0b 0c 0d 0e 0f 10 11 12 13 1a 1b 1c 20 21 22 23 24 25 26"
)
_BYTES += bytes.fromhex(
    "28 29 36 37 3f 40 41 42 43 44 60 6f 70 7b 7c 7d 7e 7f 80 c0 d0 d1 d2 fc ff"
)
# Numeric instructions with the same operands and result: one may stand for another.
_ALIKE = (
    range(0x46, 0x50),
    range(0x51, 0x5B),
    range(0x5B, 0x61),
    range(0x61, 0x67),
    range(0x67, 0x6A),
    range(0x6A, 0x79),
    range(0x79, 0x7C),
    range(0x7C, 0x8B),
    range(0x8B, 0x92),
    range(0x92, 0x99),
    range(0x99, 0xA0),
    range(0xA0, 0xA7),
)


def leb(number: int, padding: int = 0) -> bytes:
    """An unsigned LEB128, with that many needless bytes."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    for _ in range(padding):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def signed_leb(number: int) -> bytes:
    out = bytearray()
    while not -64 <= number < 64:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number & 0x7F)
    return bytes(out)


def read_leb(data: bytes, position: int) -> tuple[int, int]:
    """Number and position behind it. IndexError at the end of the data."""
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return result, position


@dataclass
class Section:
    kind: int
    body: bytes

    def encode(self) -> bytes:
        return bytes([self.kind]) + leb(len(self.body)) + self.body


def sections(module: bytes) -> list[Section]:
    """The sections of a module, as far as they can be told apart."""
    found = []
    position = len(HEADER)
    try:
        while position < len(module):
            kind = module[position]
            size, position = read_leb(module, position + 1)
            found.append(Section(kind, module[position : position + size]))
            position += size
    except IndexError:
        pass
    return found


def assemble(parts: list[Section]) -> bytes:
    return HEADER + b"".join(part.encode() for part in parts)


def bodies(code: bytes) -> list[bytes]:
    """The function bodies in a code section."""
    found = []
    try:
        count, position = read_leb(code, 0)
        for _ in range(min(count, len(code))):
            size, position = read_leb(code, position)
            found.append(code[position : position + size])
            position += size
    except IndexError:
        pass
    return found


class Mutator:
    """Mutations of the modules of a corpus, drawn from one seeded generator."""

    def __init__(self, corpus: list[list[bytes]], seed: int) -> None:
        self.corpus = corpus
        self.random = random.Random(seed)
        self.kinds: list[Callable[[bytes], bytes]] = [
            self.truncate,
            self.flip_bits,
            self.odd_bytes,
            self.insert_number,
            self.lie_about_a_size,
            self.shuffle_sections,
            self.other_section,
            self.splice,
            self.edit_section,
            self.edit_section,
            self.edit_body,
            self.edit_body,
            self.edit_body,
            self.swap_bodies,
            self.other_numeric,
            self.other_numeric,
            self.other_constant,
            self.other_constant,
        ]

    def modules(self, count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield self.module()

    def module(self) -> bytes:
        """One mutated module: one mutation of a good module, or a few."""
        choose = self.random
        module = self._good()
        for _ in range(choose.choice((1, 1, 1, 2, 3))):
            module = choose.choice(self.kinds)(module)
        return module[:200_000]

    def _good(self) -> bytes:
        return self.random.choice(self.random.choice(self.corpus))

    def _at(self, data: bytes | list) -> int:
        return self.random.randrange(len(data)) if data else 0

    def _number(self) -> bytes:
        choose = self.random
        if choose.random() < 0.3:
            return signed_leb(choose.choice(_NUMBERS) * choose.choice((1, -1)))
        if choose.random() < 0.1:
            return choose.choice((b"\xff" * 5, b"\x80" * 11 + b"\0", b"\xff\xff\xff\xff\x1f"))
        return leb(choose.choice(_NUMBERS), choose.choice((0, 0, 0, 0, 1, 3)))

    # Damage that does not care what it hits

    def truncate(self, module: bytes) -> bytes:
        return module[: self._at(module)]

    def flip_bits(self, module: bytes) -> bytes:
        out = bytearray(module)
        for _ in range(self.random.choice((1, 1, 2, 4, 16)) if out else 0):
            out[self._at(out)] ^= 1 << self.random.randrange(8)
        return bytes(out)

    def odd_bytes(self, module: bytes) -> bytes:
        out = bytearray(module)
        for _ in range(self.random.choice((1, 1, 2, 4)) if out else 0):
            out[self._at(out)] = self.random.choice(_BYTES)
        return bytes(out)

    def insert_number(self, module: bytes) -> bytes:
        at = self._at(module)
        return module[:at] + self._number() + module[at + self.random.choice((0, 1)) :]

    def splice(self, module: bytes) -> bytes:
        other = self._good()
        start = self._at(other)
        at = self._at(module)
        piece = other[start : start + self.random.choice((1, 4, 16, 64, 100_000))]
        return module[:at] + piece + module[at + self.random.choice((0, len(piece))) :]

    # Damage at the level of sections

    def lie_about_a_size(self, module: bytes) -> bytes:
        parts = sections(module)
        if not parts:
            return module
        wrong = self._at(parts)
        out = HEADER
        for index, part in enumerate(parts):
            if index == wrong:
                near = max(len(part.body) + self.random.choice((-2, -1, 1, 2)), 0)
                size = self.random.choice((leb(near), self._number(), leb(len(part.body), 4)))
                out += bytes([part.kind]) + size + part.body
            else:
                out += part.encode()
        return out

    def shuffle_sections(self, module: bytes) -> bytes:
        parts = sections(module)
        if not parts:
            return module
        at = self._at(parts)
        what = self.random.randrange(4)
        if what == 0:
            del parts[at]
        elif what == 1:
            parts.insert(self._at(parts), parts[at])
        elif what == 2:
            parts.insert(self._at(parts), parts.pop(at))
        else:
            parts.insert(at, Section(self.random.choice((0, 1, 12, 13, 200)), self._number()))
        return assemble(parts)

    def other_section(self, module: bytes) -> bytes:
        """The section of another module in place of the module's own."""
        parts = sections(module)
        others = sections(self._good())
        if not others:
            return module
        other = self.random.choice(others)
        kept = [part for part in parts if part.kind != other.kind]
        later = [index for index, part in enumerate(kept) if part.kind > other.kind]
        kept.insert(later[0] if later else len(kept), other)
        return assemble(kept)

    def edit_section(self, module: bytes) -> bytes:
        parts = sections(module)
        if not parts:
            return module
        part = self.random.choice(parts)
        part.body = self._edited(part.body)
        return assemble(parts)

    def _edited(self, data: bytes) -> bytes:
        at = self._at(data)
        what = self.random.randrange(5)
        if what == 0:
            return data[:at] + data[at + 1 :]
        if what == 1:
            return data[:at] + self._number() + data[at + 1 :]
        if what == 2:
            return data[:at] + bytes([self.random.choice(_BYTES)]) + data[at:]
        if what == 3:
            return data[:at] + bytes([self.random.choice(_BYTES)]) + data[at + 1 :]
        return data[:at] + data[at : at + 8] + data[at:]

    # Damage at the level of functions

    def _with_bodies(self, module: bytes, edit: Callable[[list[bytes]], None]) -> bytes:
        parts = sections(module)
        for part in parts:
            if part.kind == 10:
                found = bodies(part.body)
                if found:
                    edit(found)
                    encoded = b"".join(leb(len(body)) + body for body in found)
                    part.body = leb(len(found)) + encoded
        return assemble(parts)

    def edit_body(self, module: bytes) -> bytes:
        def edit(found: list[bytes]) -> None:
            at = self._at(found)
            for _ in range(self.random.choice((1, 1, 2, 4))):
                found[at] = self._edited(found[at])

        return self._with_bodies(module, edit)

    def swap_bodies(self, module: bytes) -> bytes:
        def edit(found: list[bytes]) -> None:
            one, other = self._at(found), self._at(found)
            found[one], found[other] = found[other], found[one]

        return self._with_bodies(module, edit)

    def other_numeric(self, module: bytes) -> bytes:
        """Some bytes that look like numeric instructions become others of the same type."""

        def edit(found: list[bytes]) -> None:
            for index, body in enumerate(found):
                out = bytearray(body)
                for at, byte in enumerate(out):
                    for alike in _ALIKE:
                        if byte in alike and self.random.random() < 0.1:
                            out[at] = self.random.choice(alike)
                found[index] = bytes(out)

        return self._with_bodies(module, edit)

    def other_constant(self, module: bytes) -> bytes:
        """What looks like a constant, an index or an offset gets another value as long."""

        def edit(found: list[bytes]) -> None:
            for index, body in enumerate(found):
                out = bytearray(body)
                for at in range(len(out) - 1):
                    constant = out[at] in (0x41, 0x42) or 0x20 <= out[at] <= 0x24
                    if (constant or 0x28 <= out[at] <= 0x3E) and self.random.random() < 0.1:
                        out[at + 1] = out[at + 1] & 0x80 | self.random.randrange(128)
                found[index] = bytes(out)

        return self._with_bodies(module, edit)


def corpus(paths: list[Path]) -> list[list[bytes]]:
    """The modules of each folder, each once: a folder may hold a hundred that look alike."""
    groups: dict[Path, set[bytes]] = {}
    for path in paths:
        groups.setdefault(path.parent, set()).add(path.read_bytes())
    return [sorted(groups[folder]) for folder in sorted(groups)]


def stream(modules: Iterable[bytes]) -> bytes:
    """The modules for device_runner.py: each with its length in four bytes before it."""
    return b"".join(len(module).to_bytes(4, "little") + module for module in modules)
