"""Calls natives one by one and prints what they do: the same lines on MicroPython as on CPython.

Runs on a board, in little memory: no type hints, no imports of test code.
"""

from wamr.heap import Heap, HeapError
from wamr.libc import Libc
from wamr.libc.functions import TABLES
from wamr.wasm.errors import Exit, Trap
from wamr.wasm.externs import Memory


class App:
    def __init__(self):
        self.memory = Memory(0, None, 65536, 6000)
        self.memory.shrunk = False
        self.heap = self.memory.heap = Heap(self.memory.buf, 4000, 2000)
        self.tables = []


class Random:
    state = 1

    def below(self, n):
        self.state = (self.state * 75 + 74) % 65537
        return self.state * n // 65537


I32 = b"\x7f"
app = App()
printed = bytearray()
libc = Libc(printed.extend, printed.extend)


def call(name, n_args, *args, result=I32):
    native = libc.resolve(name, "func", (I32 * n_args, result), None)
    at = 1000
    cells = []
    for arg in args:
        if isinstance(arg, bytes):
            app.memory.write(at, arg + b"\0")
            cells.append(at)
            at += len(arg) + 1
        else:
            cells.append(arg & 0xFFFFFFFF)
    try:
        cells = native.call(app, cells)
    except (Trap, Exit) as error:
        cells = [error]
    print(name, *cells)


def block(*args):
    at = 2000
    for arg in args:
        if isinstance(arg, tuple):
            at = at + 7 & ~7
            app.memory.put_u64(at, arg[0])
            at += 8
        else:
            app.memory.put_u32(at, arg)
            at += 4
    return 2000


def printf(text, *args):
    printed[:] = b""
    call("printf", 2, text, block(*args))
    print(bytes(printed))


app.memory.write(100, b"sensor\0")
for conversion in (b"d", b"u", b"x", b"X", b"o", b"i", b"p", b"c"):
    for flags in (b"", b"-8", b"08", b"+6.3", b"#", b" .0"):
        for value in (0, 1, 65, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
            printf(b"[%" + flags + conversion + b"]", value)
for value in (0, 1, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0x123456789ABCDEF):
    printf(b"%d %lld %llu %llx %llo %hhd", 1, (value,), (value,), (value,), (value,), value)
# 1.0, 0.1, -273.15, 1e22, 1e-7, 2/3, inf, nan, largest, smallest
for value in (
    0x3FF0000000000000,
    0x3FB999999999999A,
    0xC071126666666666,
    0x4480F0CF064DD592,
    0x3E7AD7F29ABCAF48,
    0x3FE5555555555555,
    0x7FF0000000000000,
    0x7FF8000000000000,
    0x7FEFFFFFFFFFFFFF,
    1,
):
    printf(b"%f|%e|%g|%.17g|%12.3f|%-+12.2E|%010.1f", *[(value,)] * 7)
printf(b"%s|%10s|%-10.3s|%.2s|%s", 100, 100, 100, 100, 0)
printf(b"%*d|%.*d|%-*d|%k|%n|%", 6, 42, 4, 42, -6 & 0xFFFFFFFF, 42, 0)
printf(b"%s", 6000)
printf(b"%s", 0xFFFFFFFF)
call("sprintf", 3, 5998, b"%d", block(12345))
call("snprintf", 4, 3000, 4, b"%d", block(12345))
print(app.memory.read(3000, 6))

for a, b in (
    (b"", b""),
    (b"abc", b"abd"),
    (b"Abc", b"aBC"),
    (b"x" * 100, b"x" * 99),
    (b"\xff", b"a"),
):
    for name in ("strcmp", "strstr", "strspn", "strcspn"):
        call(name, 2, a, b)
    for name in ("strncmp", "strncasecmp", "memcmp"):
        for n in (0, 2, 99):
            call(name, 3, a, b, n)
for p in (100, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 5999, 6000):
    call("strlen", 1, p)
    call("strchr", 2, p, 0x173)
    for n in (0, 6, 0x7FFFFFFF, 0xFFFFFFFF):
        for name in ("memcpy", "memset", "memchr", "strncpy"):
            call(name, 3, 3000, p, n)
            call(name, 3, p, 100, n)
    print(sum(app.memory.buf))
app.memory.write(3000, bytes(range(100)))
for to, source in ((3010, 3000), (3000, 3010), (3005, 3005)):
    call("memmove", 3, to, source, 80)
    print(bytes(app.memory.buf[3000:3110]))
for text in (b" -42x", b"0x7fffffff", b"4294967296", b"-99999999999", b"017", b"zz", b""):
    for base in (0, 10, 16, 36):
        for name in ("strtol", "strtoul"):
            call(name, 3, text, 3200, base)
            print(app.memory.u32(3200))
for c in range(-1, 130):
    names = "upper alpha space graph print digit xdigit alnum".split()
    natives = [libc.resolve("is" + n, "func", (I32, I32), None) for n in names]
    natives += [libc.resolve(n, "func", (I32, I32), None) for n in ("tolower", "toupper")]
    print(c, *[native.call(app, [c & 0xFFFFFFFF])[0] for native in natives])
for n in (0, 1, 32, 63):
    call("_bitshift64Shl", 3, 0xFEDCBA98, 0x76543210, n)
    call("getTempRet0", 0)
    call("_bitshift64Lshr", 3, 0xFEDCBA98, 0x86543210, n)
call("_llvm_bswap_i32", 1, 0x81828384)

# The heap, through the natives and by itself.
for args in ((0,), (100,), (3000,), (0xFFFFFFFF,)):
    call("malloc", 1, *args)
call("calloc", 2, 0x10000, 0x10000)
call("realloc", 2, 0, 10)
for p in (0, 8, 4008, 4009, 0xFFFFFFF0):
    call("free", 1, p, result=b"")
print(bytes(printed[-80:]), app.heap.stats())

random = Random()
heap = Heap(memoryview(bytearray(5000)), 13, 4900)
live = []
for step in range(3000):
    if random.below(100) < (70 if step % 600 < 300 else 30) or not live:
        p = heap.alloc(random.below(200), random.below(4) == 0)
        if p:
            live.append(p)
    else:
        i = random.below(len(live))
        if random.below(3):
            heap.free(live.pop(i))
        else:
            live[i] = heap.realloc(live[i], random.below(300)) or live[i]
    if step % 500 == 0:
        print(step, len(live), heap.stats())
for p in live:
    heap.free(p)
print(heap.stats())
faults = 0
for _ in range(300):
    at = 16 + random.below(1200) * 4
    heap.buf[at] = random.below(256)
    heap.buf[at + 3] = random.below(3) * 64
    try:
        heap.free(heap.alloc(random.below(900)))
    except HeapError:
        faults += 1
print(faults)

# Any arguments: nothing but a result, a trap or an exit.
VALUES = (0, 1, 7, 100, 1000, 4008, 5990, 6000, 0x3FFFFFFF, 0x40000000, 0x7FFFFFFF, 0x80000000)
for table in [TABLES[i] for i in range(1, len(TABLES), 2)]:
    for entry in table.split():
        name = entry[: entry.find("(")]
        params = entry[len(name) + 1 : entry.find(")")]
        if "clock" in name or "time" in name:
            continue
        result = entry[entry.find(")") + 1 :].split("=")[0]
        for _ in range(12):
            args = [VALUES[random.below(len(VALUES))] for _ in params]
            if random.below(2):
                args = [0xFFFFFFFF - arg for arg in args]
            call(name, len(params), *args, result=I32 if result else b"")
    app.heap = app.memory.heap = Heap(app.memory.buf, 4000, 2000)
