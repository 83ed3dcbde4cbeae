"""Machine code that is kept: in a file beside the module's own, or frozen in the firmware.

Either is an .mpy file as loader.py makes them. Its `about` begins with a key of 32 bytes: the hash
of the module's hash, of the compiler's version and of the target. So code is only ever used for
the very module that it was made of, which was validated here. In a file, a checksum follows.

What can be installed over a link has other names, and is wasm. Whoever can write files on the
board can replace its main.py as well: against them no checksum would help.
"""

from wamr.compiler import FROZEN, code_path, has_frozen, is_kept, machine
from wamr.compiler.version import VERSION
from wamr.host import MICROPYTHON, const, drop, os, struct


# A module that is built in. A u before its name saves the search for a file, 80,000 instructions.
def _builtin(name):
    return __import__("u" + name if MICROPYTHON else name)


binascii = _builtin("binascii")
crc32 = binascii.crc32
sha256 = _builtin("hashlib").sha256

_PIECE = const(512)
_KEY = const(32)
# Bytes of `about` before the table: the key, and the number of bytes of code.
_TABLE = const(36)


def key_of(module, target):
    """What tells code that was made of this module, by this compiler and for this target."""
    hashed = sha256()
    source = module.source
    if isinstance(source, str):
        with open(source, "rb") as file:
            while True:
                piece = file.read(_PIECE)
                if not piece:
                    break
                hashed.update(piece)
    else:
        hashed.update(source)
    return sha256(hashed.digest() + target.encode() + VERSION.encode()).digest()


def about(key, table, size):
    return key + struct.pack("<I", size) + bytes(table)


# The name of the frozen module that has the code of this key: of 21 characters, see loader.head().
def name_of(key):
    return FROZEN + "." + binascii.hexlify(key).decode()[:11]


def find(module):
    """The Code of a module if it was kept, else None. See find_code()."""
    target = machine.target()
    if not target:
        return None
    key = key_of(module, target)
    origin = "frozen"
    made = _frozen(key) if MICROPYTHON and has_frozen() else None
    if not made and is_kept(module.source) and is_whole(code_path(module.source), key):
        from wamr.compiler import loader

        made = loader.load_file(code_path(module.source))
        origin = "cache"
    if not made or made[1][:_KEY] != key:
        return None
    from wamr.compiler.code import Code  # which stays

    enter, known = made
    size = struct.unpack_from("<I", known, _KEY)[0]
    table = memoryview(known)[_TABLE:]
    code = Code(module, enter, table, size, origin)
    # It has to lie at words where it has numbers in it, for which MicroPython does not care.
    if target == "Thumb1" and code.base & 2:
        from wamr.compiler import loader

        enter = loader.load((loader.bytes_at(code.base - 1, size),))
        code = Code(module, enter, table, size, origin)
    return code


def _frozen(key):
    name = name_of(key)
    try:
        found = __import__(name, None, None, ("",))
    except ImportError:
        return None
    drop(name)
    return found.f, found.about


def is_whole(path, key):
    """Whether the file has the code of this key, undamaged."""
    from wamr.compiler.loader import ABOUT

    with open(path, "rb") as file:
        left = file.seek(0, 2) - 4
        file.seek(0)
        head = file.read(min(left, ABOUT + _KEY)) if left > 0 else b""
        if head[ABOUT:] != key:
            return False
        crc = crc32(head)
        left -= len(head)
        while left:
            piece = file.read(min(left, _PIECE))
            if not piece:
                return False
            crc = crc32(piece, crc)
            left -= len(piece)
        return file.read(4) == struct.pack("<I", crc)


# The parts of such a file, but for the checksum.
def parts_of(feature, key, code, table, size):
    from wamr.compiler.loader import head

    return (
        [head(size, feature, name_of(key).replace(".", "/"), about(key, table, size))]
        + code
        + [b"\0"]
    )


def save(path, module, code, table, size):
    """Keep code in this file, in place of what was of no use, and verify it. OSError."""
    key = key_of(module, machine.target())
    from wamr.compiler.loader import bytes_of, feature

    crc = 0
    _remove(path)  # a full flash has no room for both
    try:
        with open(path, "wb") as file:
            for part in parts_of(feature(), key, code, table, size):
                part = bytes_of(part)
                file.write(part)
                crc = crc32(part, crc)
            file.write(struct.pack("<I", crc))
        if not is_whole(path, key):
            raise OSError("flash does not hold what was written to it")
    except BaseException:
        # What a full flash did take is the room that the next file wants.
        _remove(path)
        raise


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass
