"""Xtensa on the PC: qemu-user runs the code, and its GDB stub holds it.

The program that QEMU runs is a hand-made ELF file with nothing in it but the code to test and one
call of it. That call, with a new register window as MicroPython's are, is followed by an illegal
instruction, at which QEMU reports to us. It also does at what the processors of the ESP32 family
can and none of QEMU's: words at any address, and muluh. These are done here.
"""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import tempfile
import time
import weakref
from pathlib import Path

QEMU = "qemu-xtensa"
# Has windows, density, 32-bit multiplication and division, NSA, SEXT.
CPU = "dc233c"

CODE = 0x10000000
STACK = 0x18000000
BUFFERS = 0x20000000
ROOM = 0x1F000000  # for buffers
_PACKET = 0x7C0  # bytes of memory in one
_SIGILL, _SIGBUS = 4, 10  # as GDB numbers them


def elf(code: bytes) -> bytes:
    """A program with this code, and empty memory for the stack and for buffers."""
    segments = [
        (0x1000, CODE, len(code), len(code)),
        (0, STACK, 0, 0x10000),
        (0, BUFFERS, 0, ROOM),
    ]
    out = struct.pack("<4s4B8x2H", b"\x7fELF", 1, 1, 1, 0, 2, 94)
    out += struct.pack("<5I6H", 1, CODE, 52, 0, 0x300, 52, 32, len(segments), 0, 0, 0)
    for offset, address, in_file, in_memory in segments:
        out += struct.pack("<8I", 1, offset, address, address, in_file, in_memory, 7, 0x1000)
    return out.ljust(0x1000, b"\0") + code


class Gdb:
    """QEMU with a program, stopped; talks GDB's remote protocol."""

    OPTIONS: tuple[str, ...] = ()

    def __init__(self, program: bytes) -> None:
        assert shutil.which(QEMU), f"{QEMU} is not installed: firmware/packages.sh does that"
        folder = tempfile.TemporaryDirectory(prefix="wamr-qemu-")
        path = Path(folder.name) / "program"
        path.write_bytes(program)
        path.chmod(0o755)
        place = str(path.parent / "gdb")
        command = [QEMU, "-cpu", CPU, *self.OPTIONS, "-g", place, str(path)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_UNIX)
        weakref.finalize(self, _close, process, self.socket, folder)
        self.received = b""
        until = time.monotonic() + 20
        while self.socket.connect_ex(place):
            assert process.poll() is None and time.monotonic() < until, "QEMU does not start"
            time.sleep(0.002)

    def ask(self, text: str) -> str:
        packet = text.encode()
        self.socket.sendall(b"$%b#%02x" % (packet, sum(packet) & 0xFF))
        while True:
            end = self.received.find(b"#")
            if 0 <= end <= len(self.received) - 3:
                break
            data = self.socket.recv(65536)
            assert data, f"QEMU is gone after {text[:40]}"
            self.received += data
        answer = self.received[self.received.index(b"$") + 1 : end].decode()
        self.received = self.received[end + 3 :]
        self.socket.sendall(b"+")
        assert not answer.startswith("E"), f"{text[:40]}: {answer}"
        return answer

    def read(self, at: int, size: int) -> bytes:
        parts = [
            self.ask(f"m{at + i:x},{min(size - i, _PACKET):x}") for i in range(0, size, _PACKET)
        ]
        return bytes.fromhex("".join(parts))

    def write(self, at: int, data: bytes) -> None:
        for i in range(0, len(data), _PACKET):
            part = data[i : i + _PACKET]
            assert self.ask(f"M{at + i:x},{len(part):x}:{part.hex()}") == "OK"


def _close(
    process: subprocess.Popen[bytes], link: socket.socket, folder: tempfile.TemporaryDirectory[str]
) -> None:
    link.close()
    process.kill()
    process.wait()
    folder.cleanup()


class Registers:
    """All of the processor's, as the stub gives them: pc, a0 to a31 without windows, others."""

    def __init__(self, gdb: Gdb) -> None:
        self.gdb = gdb
        data = bytes.fromhex(gdb.ask("g"))
        self.words = list(struct.unpack(f"<{len(data) // 4}I", data))

    def _index(self, number: int) -> int:
        window = self.words[38]
        return 1 + (4 * window + number) % 32

    @property
    def pc(self) -> int:
        return self.words[0]

    @pc.setter
    def pc(self, value: int) -> None:
        self.words[0] = value

    def __getitem__(self, number: int) -> int:
        return self.words[self._index(number)]

    def __setitem__(self, number: int, value: int) -> None:
        self.words[self._index(number)] = value & 0xFFFFFFFF

    def set(self) -> None:
        self.gdb.ask("G" + struct.pack(f"<{len(self.words)}I", *self.words).hex())


class Cpu:
    """A processor with the code that it runs, and memory that is not written without need."""

    def __init__(self, code: bytes) -> None:
        padded = bytes(code) + bytes(-len(code) & 3)
        self.entry = CODE + len(padded)
        self.end = self.entry + 3
        # callx8 a8; ill
        self.gdb = Gdb(elf(padded + b"\xe0\x08\x00" + bytes(3)))
        self.known: dict[int, bytes] = {}  # parts of the memory, by address

    def write(self, at: int, data: bytes) -> None:
        for i in range(0, len(data), _PACKET):
            part = data[i : i + _PACKET]
            if self.known.get(at + i) != part:
                self.gdb.write(at + i, part)
                self.known[at + i] = part

    def read(self, at: int, size: int) -> bytes:
        data = self.gdb.read(at, size)
        for i in range(0, size, _PACKET):
            self.known[at + i] = data[i : i + _PACKET]
        return data

    def call(self, argument: int) -> None:
        """Call the code with an array of one argument, as MicroPython calls a viper function."""
        registers = Registers(self.gdb)
        self.gdb.write(STACK, struct.pack("<I", argument))
        registers.pc = self.entry
        registers[1] = stack = STACK + 0xFF00
        registers[8] = CODE
        registers[13] = STACK
        registers.set()
        registers = self.go((self.end,))
        assert registers[1] == stack
        assert registers[10] == 1

    def go(self, ends: tuple[int, ...]) -> Registers:
        """Run until one of these addresses, where it stops."""
        while True:
            stopped = self.gdb.ask("c")
            registers = Registers(self.gdb)
            if registers.pc in ends:
                return registers
            self._do(registers, int(stopped[1:3], 16))

    def _do(self, registers: Registers, signal: int) -> None:
        """Do the instruction at pc."""
        code = self.gdb.read(registers.pc, 3)
        t = code[0] >> 4
        s = code[1] & 15
        r = code[1] >> 4
        if signal == _SIGILL and code[2] == 0xA2:
            registers[r] = registers[s] * registers[t] >> 32
            registers.pc += 3
        else:
            assert signal == _SIGBUS, f"stopped by {signal} at {registers.pc:#x}: {code.hex()}"
            self._access(registers, code, r, s, t)
        registers.set()

    def _access(self, registers: Registers, code: bytes, r: int, s: int, t: int) -> None:
        if code[0] & 15 == 2:
            form, scale, store = {
                1: ("<H", 2, False), 2: ("<I", 4, False), 9: ("<h", 2, False),
                5: ("<H", 2, True), 6: ("<I", 4, True),
            }[r]  # fmt: skip
            at = registers[s] + code[2] * scale
            registers.pc += 3
        else:  # l32i.n and s32i.n
            form, store = {8: ("<I", False), 9: ("<I", True)}[code[0] & 15]
            at = registers[s] + 4 * r
            registers.pc += 2
        size = struct.calcsize(form)
        at &= 0xFFFFFFFF
        if store:
            self.gdb.write(at, registers[t].to_bytes(4, "little")[:size])
        else:
            registers[t] = struct.unpack(form, self.gdb.read(at, size))[0]
