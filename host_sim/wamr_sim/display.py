"""The simulated display: a frame buffer with MicroPython's drawing functions, shown as text or
saved as PNG.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from wamr_sim.font import columns
from wamr_sim.trace import Trace

_HALVES = " ▀▄█"
# Where the dots of a braille character are, in the order of their bits.
_BRAILLE = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))


class Display:
    """width, height: in dots. color: dots of 16 bits (RGB 5-6-5) instead of on and off.

    Apps draw into a buffer; show() makes it visible.
    """

    def __init__(
        self, trace: Trace, width: int = 128, height: int = 64, color: bool = False
    ) -> None:
        self.width = width
        self.height = height
        self.color = color
        self.shows = 0
        self.png: Path | None = None  # where each shown picture is saved
        self._trace = trace
        self._dots = [0] * (width * height)
        self._shown = list(self._dots)

    # ---- drawing, as framebuf.FrameBuffer

    def pixel(self, x: int, y: int, color: int | None = None) -> int | None:
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        if color is None:
            return self._dots[y * self.width + x]
        self._dots[y * self.width + x] = color & 0xFFFF if self.color else int(color != 0)
        return None

    def fill(self, color: int) -> None:
        self.fill_rect(0, 0, self.width, self.height, color)

    def fill_rect(self, x: int, y: int, width: int, height: int, color: int) -> None:
        for row in range(max(y, 0), min(y + height, self.height)):
            for column in range(max(x, 0), min(x + width, self.width)):
                self.pixel(column, row, color)

    def hline(self, x: int, y: int, width: int, color: int) -> None:
        self.fill_rect(x, y, width, 1, color)

    def vline(self, x: int, y: int, height: int, color: int) -> None:
        self.fill_rect(x, y, 1, height, color)

    def rect(
        self, x: int, y: int, width: int, height: int, color: int, fill: bool = False
    ) -> None:
        if fill:
            self.fill_rect(x, y, width, height, color)
            return
        self.hline(x, y, width, color)
        self.hline(x, y + height - 1, width, color)
        self.vline(x, y, height, color)
        self.vline(x + width - 1, y, height, color)

    def line(self, x: int, y: int, x2: int, y2: int, color: int) -> None:
        dx, dy = abs(x2 - x), -abs(y2 - y)
        step_x, step_y = (1 if x < x2 else -1), (1 if y < y2 else -1)
        error = dx + dy
        # Coordinates are any 32-bit numbers: what lies far outside is not walked through.
        for _ in range(min(max(dx, -dy), 1 << 16) + 1):
            self.pixel(x, y, color)
            twice = 2 * error
            if twice >= dy:
                error += dy
                x += step_x
            if twice <= dx:
                error += dx
                y += step_y

    def text(self, text: str, x: int, y: int, color: int = 1) -> None:
        for character in text:
            for column, bits in enumerate(columns(character)):
                for row in range(8):
                    if bits >> row & 1:
                        self.pixel(x + 1 + column, y + row, color)
            x += 8

    def scroll(self, dx: int, dy: int) -> None:
        before = list(self._dots)
        for y in range(self.height):
            for x in range(self.width):
                if 0 <= x - dx < self.width and 0 <= y - dy < self.height:
                    self._dots[y * self.width + x] = before[(y - dy) * self.width + x - dx]

    def show(self) -> None:
        self._shown = list(self._dots)
        self.shows += 1
        checksum = zlib.crc32(struct.pack(f"<{len(self._shown)}H", *self._shown))
        self._trace.add("display", f"picture {self.shows}, crc {checksum:08x}")
        if self.png:
            self.save(self.png)

    # ---- looking at it

    def dot(self, x: int, y: int) -> int:
        """A dot of the picture that is shown."""
        return self._shown[y * self.width + x]

    def as_text(self) -> str:
        """The picture that is shown, two rows of dots in a line of text."""
        lines = []
        for y in range(0, self.height, 2):
            line = ""
            for x in range(self.width):
                lower = y + 1 < self.height and self.dot(x, y + 1) != 0
                line += _HALVES[(self.dot(x, y) != 0) + 2 * lower]
            lines.append(line.rstrip())
        return "\n".join(lines)

    def as_braille(self) -> str:
        """The same in a quarter of the room: two by four dots in a character."""
        lines = []
        for y in range(0, self.height, 4):
            line = ""
            for x in range(0, self.width, 2):
                bits = 0
                for n, (dx, dy) in enumerate(_BRAILLE):
                    inside = x + dx < self.width and y + dy < self.height
                    if inside and self.dot(x + dx, y + dy):
                        bits |= 1 << n
                line += chr(0x2800 + bits)
            lines.append(line)
        return "\n".join(lines)

    def save(self, path: str | Path, scale: int = 4) -> None:
        """Save the picture that is shown as PNG, each dot `scale` pixels wide and high."""
        rows = []
        for y in range(self.height):
            row = b"".join(self._rgb(x, y) * scale for x in range(self.width))
            rows.append((b"\0" + row) * scale)
        header = struct.pack(">IIBBBBB", self.width * scale, self.height * scale, 8, 2, 0, 0, 0)
        Path(path).write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + _chunk(b"IHDR", header)
            + _chunk(b"IDAT", zlib.compress(b"".join(rows)))
            + _chunk(b"IEND", b"")
        )

    def _rgb(self, x: int, y: int) -> bytes:
        dot = self.dot(x, y)
        if not self.color:
            return b"\xff\xff\xff" if dot else b"\0\0\0"
        red, green, blue = dot >> 11, dot >> 5 & 63, dot & 31
        return bytes((red * 255 // 31, green * 255 // 63, blue * 255 // 31))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
