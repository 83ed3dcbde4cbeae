"""Functions, memories, and values at the Python face (specification 4.2).

Tables and globals, which not every app has or shares, are in variables.py.
"""

from wamr.host import array, const, is_coroutine, zeroed
from wamr.wasm.errors import LinkError, Trap

OUT_OF_BOUNDS = "out of bounds memory access"
pool = None  # where memory comes from: the module of this name once wamr.init() was called
_HEAP_STEP = const(1024)


# A Python value as the bits of a cell. TypeError names what was given.
def to_bits(value, code):
    if code == 0x7F and isinstance(value, int):
        return value & 0xFFFFFFFF
    if code < 0x7C:
        if code == 0x6F or value is None or isinstance(value, (Function, Native)):
            return value
        wanted = "None or an exported function"
    elif code >= 0x7E:
        # (On MicroPython a bool is no int.)
        if isinstance(value, (int, bool)):
            return value & (0xFFFFFFFF if code == 0x7F else 0xFFFFFFFFFFFFFFFF)
        wanted = "an int"
    else:
        if isinstance(value, (float, int, bool)):
            from wamr.engine.floats import from_float

            return from_float(value, 32 if code == 0x7D else 64)
        wanted = "a number"
    from wamr.wasm.types import type_name

    raise TypeError("%s wants %s, not %r" % (type_name(code), wanted, value))


# The bits of a cell as a Python value: signed ints and floats.
def from_bits(bits, code):
    if code == 0x7F:
        return bits - 0x100000000 if bits > 0x7FFFFFFF else bits
    if code == 0x7E:
        return bits - 0x10000000000000000 if bits > 0x7FFFFFFFFFFFFFFF else bits
    if code < 0x7C:
        return bits
    from wamr.engine.floats import to_float

    return to_float(bits, 32 if code == 0x7D else 64)


# The results of a function as Python gives them: None, a value, or a tuple.
def to_values(cells, codes):
    if len(cells) == 1:
        return from_bits(cells[0], codes[0])
    if not cells:
        return None
    return tuple([from_bits(b, c) for b, c in zip(cells, codes)])


# A zeroed buffer.
def _take(n):
    return pool.take(n) if pool else zeroed(n)


class Memory:
    """A linear memory.

    min, max: size in pages; max None: no maximum of its own. page_size: 65536, or 1 (the
    custom-page-sizes proposal). limit: bytes to begin with, when fewer than the pages are likely
    to do: see fits().
    Raises LinkError when the host has not enough memory, ValueError for another page size.
    """

    def __init__(self, min, max=None, page_size=65536, limit=None):
        if page_size != 1 and page_size != 65536:
            raise ValueError("page_size %r: 1 or 65536 wanted" % (page_size,))
        self.pages = min
        self.max = max
        self.page_size = page_size
        size = min * page_size if limit is None else limit
        try:
            if min * page_size > 0x100000000:
                raise MemoryError
            self.buf = _take(size)
        except (MemoryError, OverflowError):
            raise LinkError(
                "not enough memory: %d bytes of linear memory wanted; build the app with less"
                " (export __heap_base, a smaller stack, or custom page sizes)" % size
            )
        self.heap = None  # the app's heap inside this memory
        self.heap_end = 0  # where that may extend to
        self.shrunk = size < min * page_size  # cut by its instance to what that needs

    @property
    def data(self):
        """The bytes as a writable memoryview, valid until the memory grows.

        An app that tells where its data end (`__heap_base`) has only these until it uses more:
        read() and write() reach all.
        """
        return memoryview(self.buf)

    @property
    def size(self):
        """Size in pages."""
        return self.pages

    def grow(self, n):
        """Add n pages. Returns the size before, or -1 when that is not possible."""
        old = self.pages
        new = old + n
        top = 65536 if self.page_size > 1 else 0xFFFFFFFF
        if n < 0 or new > (top if self.max is None else min(top, self.max)):
            return -1
        if n:
            if not self._resize(new * self.page_size):
                return -1
            self.pages = new
            self.shrunk = False
        return old

    # A new buffer, so that no view of the old one can see freed memory. False: no room for it.
    def _resize(self, size):
        try:
            buf = _take(size)
        except (MemoryError, OverflowError):
            return False
        memoryview(buf)[: len(self.buf)] = self.buf
        if pool:
            pool.give(self.buf)
        self.buf = buf
        if self.heap:
            self.heap.buf = buf
        return True

    # The app's heap wants room for a block of `size` bytes: see Heap.more.
    def more_heap(self, size):
        heap = self.heap
        n = min(max(size, _HEAP_STEP), self.heap_end - heap.end)
        if n < 16 or (heap.end + n > len(self.buf) and not self._resize(heap.end + n)):
            return False
        heap.extend(n)
        return True

    # Gives the bytes back to the pool, if they came from there. Nobody may use them any more.
    def free(self):
        if pool and pool.give(self.buf):
            self.buf = b""
            self.shrunk = False

    # Whether `end` bytes are there. A memory that was cut to what its module says it uses is made
    # whole when somebody does use more, so that cutting it changes nothing but the RAM it takes.
    def fits(self, end):
        if end <= len(self.buf):
            return True
        return self.shrunk and end <= self.pages * self.page_size and self.whole()

    def whole(self):
        if self.shrunk:
            pages = self.pages
            self.pages = 0
            self.grow(pages)
            self.pages = pages
        return not self.shrunk

    def check(self, ptr, n):
        if n < 0 or ptr < 0 or not self.fits(ptr + n):
            raise Trap(OUT_OF_BOUNDS)

    def read(self, ptr, n):
        """n bytes from ptr on, as bytes. Raises Trap outside the memory; so do the others."""
        self.check(ptr, n)
        return bytes(self.buf[ptr : ptr + n])

    def write(self, ptr, data):
        self.check(ptr, len(data))
        memoryview(self.buf)[ptr : ptr + len(data)][:] = data  # see engine/bulk.py

    def read_cstr(self, ptr):
        """The bytes from ptr up to (without) the next NUL."""
        end = ptr
        self.check(ptr, 1)
        while self.buf[end]:
            end += 1
            self.check(end, 1)
        return bytes(self.buf[ptr:end])

    def u32(self, ptr):
        self.check(ptr, 4)
        b = self.buf
        return b[ptr] | b[ptr + 1] << 8 | b[ptr + 2] << 16 | b[ptr + 3] << 24

    def put_u32(self, ptr, value):
        self.write(ptr, (value & 0xFFFFFFFF).to_bytes(4, "little"))

    def u64(self, ptr):
        return self.u32(ptr) | self.u32(ptr + 4) << 32

    def put_u64(self, ptr, value):
        self.write(ptr, (value & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little"))


# The variable of a global, shared by all who see it. A number's has an address, for machine code.
def new_cell(kind, bits):
    return [bits] if kind < 0x7C else array("Q", (bits,))


# A function of a wasm instance. Its stack frames are the engine's business.
class Function:
    """An exported function: call it with ints and floats. Raises TypeError, Trap, Exit."""

    n_simple = -1  # how many parameters it has, if all are i32, and its result too
    entry = 0  # for machine code: where it is, and is started

    def __init__(self, instance, index):
        self.instance = instance
        self.index = index
        self.type = params, results = instance.module.funcs[index]
        if params.count(b"\x7f") == len(params) and results in (b"", b"\x7f"):
            self.n_simple = len(params)

    def __call__(self, *args):
        return self.instance.engine.invoke(self, args)

    def args_to_bits(self, args):
        params = self.type[0]
        if len(args) != len(params):
            raise TypeError("%d arguments wanted, %d given" % (len(params), len(args)))
        bits = list(args)
        i = 0
        while i < len(bits):
            bits[i] = to_bits(bits[i], params[i])
            i += 1
        return bits


class Native:
    """A Python function that an app can import. See wamr.native() and docs/api.md.

    signature: None for a function that gets nothing but values of `type`. owner: what else the
    function wants, in front of the instance.
    """

    instance = None  # it belongs to no instance, as a Function does

    def __init__(self, signature, fn, type=None, owner=None):
        self.fn = fn
        self.owner = owner
        self.letters = None  # what is to be done with the arguments
        if signature is not None:
            self.letters, own_type = parse_signature(signature)
            # What the module has already need not be there twice.
            type = type if type == own_type else own_type
        self.type = type

    # Called from Python, as a funcref that was handed out: no instance is calling.
    def __call__(self, *args):
        return self.run(None, args)

    def run(self, instance, args):
        if self.letters is None:
            return self.fn(*args)
        if self.owner is None:
            return self.fn(instance, *args)
        return self.fn(self.owner, instance, *args)

    # Calls the function with the cells `args`; returns a list of result cells, or the coroutine
    # of an `async def`, whose result then goes through results().
    def call(self, instance, args):
        result = self.run(instance, self.checked(instance, args))
        return result if is_coroutine(result) else self.results(result)

    # The arguments as the function wants them. Pointers are checked here, once for all natives, as
    # their letters say.
    def checked(self, instance, args):
        letters = self.letters
        types = self.type[0]
        for i in range(len(args) if letters != "" else 0):
            letter = letters[i] if letters else ""
            if letter == "*" or letter == "$":
                if instance.memory is None:
                    raise Trap(OUT_OF_BOUNDS)
                if letter == "$":
                    instance.memory.read_cstr(args[i])
                else:
                    length = args[i + 1] if letters[i + 1 : i + 2] == "~" else 1
                    instance.memory.check(args[i], length)
            elif letter != "~" and letter != "u":
                args[i] = from_bits(args[i], types[i])
        return args

    def results(self, result):
        codes = self.type[1]
        if len(codes) == 1:
            return [to_bits(result, codes[0])]
        if not codes:
            return ()
        if len(result) != len(codes):
            raise TypeError("%d results wanted, %d returned" % (len(codes), len(result)))
        return [to_bits(r, c) for r, c in zip(result, codes)]


# The parameters' letters and the type that a signature means. No letters: nothing is to be done
# with any of the arguments.
def parse_signature(signature):
    letters, end, result = signature[1:].partition(")")
    if signature[:1] != "(" or not end:
        raise ValueError("signature %r: '(letters)' and a result letter wanted" % signature)
    halves = []
    for half in (letters, result):
        codes = bytearray()
        for letter in half:
            i = "iu*~$IfFr".find(letter)
            if i < 0:
                raise ValueError("signature %r: unknown letter %r" % (signature, letter))
            codes.append(b"\x7f\x7f\x7f\x7f\x7f\x7e\x7d\x7c\x6f"[i])
        halves.append(bytes(codes))
    return letters if letters.strip("u") else "", tuple(halves)
