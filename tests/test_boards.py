"""The emulated boards themselves: what other device tests and users of real boards rely on."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time

import pytest
import serial
from board import BOARDS, BUILD, Board, BoardError, Unix

# Python's native .mpy architecture numbers, as in sys.implementation._mpy >> 10.
ARCHITECTURES = {"NETDUINOPLUS2": 7, "MPS2_AN385": 6, "VIRT_RV32": 11}

MODULES = (
    "array asyncio binascii collections deflate errno gc hashlib io json machine micropython os "
    "random re select struct sys time"
)


def test_is_the_machine_it_says(board: Board) -> None:
    found = board.exec("import sys; print(sys.implementation._mpy >> 10 & 15, sys.maxsize)")
    assert found.split() == [str(ARCHITECTURES[board.name]), str(2**31 - 1)]


def test_has_the_modules(board: Board) -> None:
    for name in MODULES.split():
        board.exec(f"import {name}")


def test_frozen_runtime(board: Board) -> None:
    assert board.exec("import wamr; print(wamr.__file__)").strip() == "wamr/__init__.py"


def test_errors_come_with_output_and_traceback(board: Board) -> None:
    with pytest.raises(BoardError, match="ZeroDivisionError") as caught:
        board.exec("print('before'); 1 / 0")
    assert caught.value.output == "before\n"


def test_clock(board: Board) -> None:
    """Ticks run with the host's clock, and the time of day is the host's."""
    before = time.monotonic()
    code = """
import time
start = time.ticks_us()
time.sleep_ms(300)
print(time.ticks_diff(time.ticks_us(), start))
"""
    slept_us = int(board.exec(code))
    assert 299_000 <= slept_us <= (time.monotonic() - before) * 1e6
    assert abs(int(board.exec("print(time.time_ns())")) / 1e9 - time.time()) < 5
    assert board.exec("print(time.localtime()[0] >= 2025)").strip() == "True"


def test_idle_board_leaves_the_host_alone(board: Board) -> None:
    """A board that waits, at the prompt or in a sleep, keeps no processor of the host busy."""
    stat = f"/proc/{board.qemu_pid}/stat"

    def used_s() -> float:
        with open(stat) as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = used_s()
    board.exec("import time; time.sleep(1)")
    time.sleep(1)
    assert used_s() - before < 1


def test_asyncio_shares_the_processor(board: Board) -> None:
    code = """
import asyncio, time
seen = []
async def task(name):
    for i in range(3):
        seen.append(name)
        await asyncio.sleep(0)
    await asyncio.sleep_ms(200)
async def both():
    await asyncio.gather(task("a"), task("b"))
start = time.ticks_ms()
asyncio.run(both())
print("".join(seen), time.ticks_diff(time.ticks_ms(), start) < 390)
"""
    assert board.exec(code).strip() == "ababab True"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('before')\nwhile True: pass", "did not finish in 1 s"),
        ("import machine, time; print('before'); time.sleep(0.3); machine.reset()", "went off"),
    ],
)
def test_lost_board_is_restarted(board: Board, code: str, message: str) -> None:
    with pytest.raises(BoardError, match=message) as caught:
        board.exec(code, timeout_s=1)
    assert caught.value.output == "before\n"
    assert board.exec("print(6 * 7)") == "42\n"


@pytest.mark.parametrize("busy", ["while True: pass", "import time\nwhile True: time.sleep(1)"])
def test_ctrl_c(board: Board, busy: str) -> None:
    board.start(busy)
    time.sleep(0.2)
    board.interrupt()
    with pytest.raises(BoardError, match="KeyboardInterrupt"):
        board.finish(timeout_s=10)


def test_console_loses_nothing(board: Board) -> None:
    """More input than the console's buffer holds, while nobody reads."""
    board.start(
        "import sys, time; time.sleep_ms(300)\n"
        "data = sys.stdin.buffer.read(20000); print(sum(data), len(data))"
    )
    data = bytes(range(4, 254)) * 80
    board.write(data)
    assert board.finish().split() == [str(sum(data)), "20000"]


def test_files_of_the_host(board: Board, tmp_path) -> None:
    data = bytes(range(256)) * 300
    path = tmp_path / "some data.bin"
    path.write_bytes(data)
    code = f"""
import semihost, hashlib, binascii
hash = hashlib.sha256()
with semihost.open({str(path)!r}) as file:
    buf = bytearray(1000)
    while n := file.readinto(buf):
        hash.update(memoryview(buf)[:n])
    print(file.tell(), file.seek(-3, 2), file.read(), file.seek(5), file.read(2))
print(hash.digest() == binascii.unhexlify("{hashlib.sha256(data).hexdigest()}"))
try:
    semihost.open({str(tmp_path)!r} + "/none")
except OSError as error:
    print(error.errno)
"""
    expected = ["76800 76797 b'\\xfd\\xfe\\xff' 5 b'\\x05\\x06'", "True", "2"]
    assert board.exec(code).splitlines() == expected


@pytest.mark.parametrize("name", BOARDS)
def test_flash_disk_survives_a_restart(name: str, tmp_path) -> None:
    """Switched off and on, and as an image file in the hands of another board of the same kind."""
    source = tmp_path / "data.bin"
    source.write_bytes(os.urandom(10_000))
    image = tmp_path / "a disk, with a comma.img"
    check = f"""
import os, semihost, sys
print(sorted(os.listdir()))
print(open("/data.bin", "rb").read() == semihost.open({str(source)!r}).read())
sys.path.append("/folder")
import module
print(module.answer)
"""
    expected = ["['data.bin', 'folder']", "True", "42"]
    with Board(name, flash=image) as board:
        board.put(source, "/data.bin")
        board.exec(
            "import os; os.mkdir('/folder')\n"
            "with open('/folder/module.py', 'w') as file: file.write('answer = 42')"
        )
        board.restart()
        assert board.exec(check).splitlines() == expected
    with Board(name, flash=image) as board:
        assert board.exec(check).splitlines() == expected


def test_boot_py_and_soft_reset(board: Board) -> None:
    board.exec("with open('/boot.py', 'w') as file: file.write('booted = 1')")
    board.exec("left_over = 1")
    board.soft_reset()
    assert board.exec("print(booted, 'left_over' in globals())").strip() == "1 False"
    board.exec("import os; os.remove('/boot.py')")


def test_native_code(board: Board) -> None:
    """The board compiles to native code itself."""
    code = """
import micropython
@micropython.native
def twice(x):
    return x * 2
@micropython.viper
def add(a: int, b: int) -> int:
    return a + b
print(twice(1.5), add(2**30 - 1, -5))
"""
    assert board.exec(code).split() == ["3.0", str(2**30 - 6)]


NATIVE_MODULE = """
import micropython
@micropython.viper
def mix(a: int, b: int) -> int:
    for i in range(10):
        a = (a << 3) ^ b ^ i
    return a
"""


def test_native_mpy(board: Board, tmp_path) -> None:
    """A native .mpy from the flash disk is loaded and run."""
    (tmp_path / "mixer.py").write_text(NATIVE_MODULE)
    march = {"NETDUINOPLUS2": "armv7emsp", "MPS2_AN385": "armv7m", "VIRT_RV32": "rv32imc"}[
        board.name
    ]
    subprocess.run(
        [BUILD / "mpy-cross" / "mpy-cross", f"-march={march}", "mixer.py"],
        cwd=tmp_path,
        check=True,
    )
    board.put(tmp_path / "mixer.mpy", "/mixer.mpy")
    a = 1
    for i in range(10):
        a = (a << 3) ^ 77 ^ i
    assert board.exec("import mixer; print(mixer.mix(1, 77) & 0xFFFFFFF)").strip() == str(
        a & 0xFFFFFFF
    )
    board.exec("import os; os.remove('/mixer.mpy')")


def test_uart() -> None:
    """machine.UART(1) and (2), read by an asyncio task, echo what a terminal sends."""
    for name in ("NETDUINOPLUS2", "MPS2_AN385"):
        with Board(name, uarts=2) as board:
            for unit in (1, 2):
                board.exec(
                    "import asyncio, machine\n"
                    "async def echo(uart):\n"
                    "    stream = asyncio.StreamReader(uart)\n"
                    "    for i in range(4):\n"
                    "        uart.write(await stream.readexactly(5000))\n"
                )
                board.start(f"asyncio.run(echo(machine.UART({unit}, 115200, rxbuf=128)))")
                data = os.urandom(20_000)
                assert exchange(board.ptys[unit], data) == data
                assert board.finish() == ""


def exchange(pty: str, data: bytes) -> bytes:
    """Send data into a terminal and return as many bytes as come back."""
    received = b""
    with serial.Serial(pty, timeout=10, write_timeout=10) as line:
        for start in range(0, len(data), 5000):
            line.write(data[start : start + 5000])
            received += line.read(5000)
    return received


def test_uart_without_data(board: Board) -> None:
    if board.name == "VIRT_RV32":
        assert board.exec("import machine; print(hasattr(machine, 'UART'))").strip() == "False"
        return
    code = """
import machine, select
uart = machine.UART(2, timeout=20)
poll = select.poll()
poll.register(uart, select.POLLIN)
print(uart.read(5), uart.any(), poll.poll(10))
uart.deinit()
"""
    assert board.exec(code).strip() == "None 0 []"


@pytest.mark.parametrize("name", BOARDS)
def test_instruction_count(name: str) -> None:
    """With icount the same code takes the same number of instructions each time."""
    code = """
import gc, semihost
@micropython.native
def spin(n):
    for i in range(n):
        pass
def count(n):
    gc.collect()
    start = semihost.virtual_ns()
    spin(n)
    return semihost.virtual_ns() - start
count(1)
print(count(20000), count(20000), count(40000))
"""
    with Board(name, icount=True) as board:
        board.exec("import micropython")
        once, again, twice = map(int, board.exec(code).split())
    assert abs(once - again) <= 200
    assert 1.95 < twice / once < 2.05
    assert 5 < once / 20000 < 200


def test_mpremote(board: Board, tmp_path) -> None:
    """The tool that users have: it runs code, and mounts a folder of the host."""
    (tmp_path / "hosted.py").write_text("print('from the host')")
    command = [sys.executable, "-m", "mpremote", "connect", board.ptys[0]]
    with board.released():
        done = subprocess.run(
            [*command, "mount", str(tmp_path), "exec", "import hosted"],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert "from the host" in done.stdout, done.stderr


def test_console_left_in_the_raw_repl(board: Board) -> None:
    """Another program may have left it so, or in the middle of a run."""
    for left in (b"\x01", b"\x01while True: pass\x04"):
        with board.released(), serial.Serial(board.ptys[0], timeout=5) as line:
            line.write(left)
            assert line.read(1)
        assert board.exec("print(6 * 7)") == "42\n"


def test_unix(unix: Unix, tmp_path) -> None:
    """The runtime and the native emitter are there; scripts get arguments; errors are reported."""
    code = (
        "import wamr, micropython\n@micropython.viper\ndef f(x: int) -> int:\n    return x * 2\n"
    )
    assert unix.exec(code + "print(wamr.__file__, f(21))") == "wamr/__init__.py 42\n"
    (tmp_path / "script.py").write_text("import sys; print(sys.argv[1:])")
    assert unix.exec_file(tmp_path / "script.py", "a", "b c") == "['a', 'b c']\n"
    with pytest.raises(BoardError, match="ZeroDivisionError") as caught:
        unix.exec("print('before'); 1 / 0")
    assert caught.value.output == "before\n"
    with pytest.raises(BoardError, match="did not finish in 0.5 s"):
        unix.exec("while True: pass", timeout_s=0.5)


def test_unix_heap() -> None:
    with pytest.raises(BoardError, match="MemoryError"):
        Unix(heap="100k").exec("b = bytearray(200000)")
