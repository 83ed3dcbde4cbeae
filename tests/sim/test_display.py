"""The simulated display."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wamr_sim.display import Display
from wamr_sim.font import columns
from wamr_sim.trace import Trace


def display(width: int = 16, height: int = 8, color: bool = False) -> Display:
    return Display(Trace(lambda: 0), width, height, color)


def dots(screen: Display) -> list[str]:
    """The buffer, as text."""
    return [
        "".join("#" if screen.pixel(x, y) else "." for x in range(screen.width))
        for y in range(screen.height)
    ]


def test_nothing_is_seen_before_show() -> None:
    screen = display()
    screen.fill(1)
    assert screen.as_text().strip() == ""
    screen.show()
    assert screen.as_text() == "\n".join(["█" * 16] * 4)
    assert (screen.shows, len(screen._trace.entries)) == (1, 1)


def test_braille() -> None:
    screen = display(5, 5)
    screen.rect(0, 0, 5, 5, 1)
    screen.show()
    assert screen.as_braille() == "⡏⠉⡇\n⠉⠉⠁"


def test_shapes() -> None:
    screen = display(8, 5)
    screen.rect(0, 0, 8, 5, 1)
    screen.line(1, 1, 6, 3, 1)
    assert dots(screen) == ["########", "###....#", "#..##..#", "#....###", "########"]
    screen.fill_rect(-5, -5, 8, 8, 0)
    assert dots(screen)[2] == "...##..#"
    screen.rect(0, 0, 3, 3, 1, True)
    screen.scroll(1, 1)
    assert dots(screen)[1:3] == ["########", "####...."]
    assert screen.pixel(100, 0) is None


def test_text() -> None:
    screen = display(16, 8)
    screen.text("L!", 0, 0)
    assert dots(screen) == [
        ".#.........#....",
        ".#.........#....",
        ".#.........#....",
        ".#.........#....",
        ".#.........#....",
        ".#..............",
        ".#####.....#....",
        "................",
    ]
    assert columns("é") == columns("?")
    assert all(len(columns(chr(c))) == 5 for c in range(32, 127))
    assert len({columns(chr(c)) for c in range(32, 127)}) == 95


COORDINATE = st.one_of(st.integers(-20, 40), st.integers(-(2**31), 2**31 - 1))


@given(st.tuples(*[COORDINATE] * 4), st.integers(0, 0xFFFFFFFF))
def test_no_coordinates_are_too_wild(at: tuple[int, int, int, int], color: int) -> None:
    screen = display()
    for draw in (screen.line, screen.rect, screen.fill_rect):
        draw(*at, color)
    screen.text("text", at[0], at[1], color)
    assert {screen.pixel(x, y) for x in range(16) for y in range(8)} <= {0, 1}


@pytest.mark.parametrize("color", [False, True])
def test_png(tmp_path: Path, color: bool) -> None:
    screen = display(3, 2, color)
    screen.pixel(1, 0, 0xF800)  # red, if it has colours
    screen.pixel(2, 1, 0x07E0)
    screen.show()
    screen.save(tmp_path / "x.png", scale=2)
    data = (tmp_path / "x.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        body = data[at + 4 : at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size)[0] == zlib.crc32(body)
        chunks[body[:4]] = body[4:]
        at += 12 + size
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (6, 4, 8, 2, 0, 0, 0)
    black = b"\0\0\0"
    one, two = (b"\xff\0\0", b"\0\xff\0") if color else (b"\xff" * 3, b"\xff" * 3)
    rows = [b"\0" + black * 2 + one * 2 + black * 2] * 2 + [b"\0" + black * 4 + two * 2] * 2
    assert zlib.decompress(chunks[b"IDAT"]) == b"".join(rows)


def test_each_picture_is_saved(tmp_path: Path) -> None:
    screen = display()
    screen.png = tmp_path / "shown.png"
    screen.show()
    assert screen.png.is_file()
