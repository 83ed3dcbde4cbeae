"""Makes machine code callable.

On MicroPython by its own loader: the code becomes the body of a native function in an .mpy file
(format 6.3), which is imported from a file system that exists in RAM for that moment. So it works
on stock firmware, and MicroPython takes care of executable memory and caches. On CPython it goes
to a mapping that is first writable and then executable, never both.
"""

import sys

from wamr.host import MICROPYTHON, array, const, io

# The offset of `about` in the file.
ABOUT = const(47)


# The byte that says which machine it is for.
def feature():
    return sys.implementation._mpy >> 8 & 0xFF if MICROPYTHON else 0x0B


# The head of an .mpy file: a module with a name of 21 characters, whose bytecode calls the bytes
# `about` so, makes one native function of `size` bytes and calls it `f`. The bytes follow, and
# behind them a 0.
def head(size, feature, name, about):
    head = bytearray(b"M\x06")
    head.append(feature)  # sub-version and architecture
    # Bits of a small int that the bytecode needs; four strings, one object; the file's name, the
    # static string for a module, "f", "about"; the object is bytes.
    head.extend(b"\x1e\x04\x01\x30")
    head.extend(name.encode())
    head.extend(b".py\x00\x0f\x02f\x00\x0aabout\x00\x06")
    _number(head, len(about), 14)
    head.extend(about)
    # Bytecode of 13 bytes with one child: make_function 0; store_name f; load_const_obj 0;
    # store_name about; load_const_none; return_value.
    head.extend(b"\x00\x6c\x00\x02\x01\x32\x00\x16\x02\x23\x00\x16\x03\x51\x63\x01")
    # The child: a viper function.
    _number(head, size << 3 | 2, 28)
    return head


# Numbers have seven bits a byte, the highest first.
def _number(out, n, shift):
    while shift:
        out.append(n >> shift & 0x7F | 0x80)
        shift -= 7
    out.append(n & 0x7F)


if MICROPYTHON:
    import vfs

    from uctypes import addressof, bytearray_at

    # A buffer of bytes, or an array of 16-bit numbers, as bytes.
    def bytes_of(buf):
        if isinstance(buf, array):
            return bytearray_at(addressof(buf), 2 * len(buf))
        return buf

    bytes_at = bytearray_at

    # A file system with one file, which `opener` opens.
    class _Files:
        def __init__(self, opener):
            self.opener = opener

        def mount(self, readonly, mkfs):
            pass

        def umount(self):
            pass

        def stat(self, path):
            if path == "/wamr_code.mpy":
                return (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            raise OSError(2)

        def open(self, path, mode):
            return self.opener()

    # Reads one buffer after the other, so that the code is not copied into one with its header.
    class _Parts(io.IOBase):
        def __init__(self, parts):
            self.parts = parts
            self.part = 0
            self.at = 0

        def readinto(self, buf):
            done = 0
            while done < len(buf) and self.part < len(self.parts):
                data = self.parts[self.part]
                n = min(len(buf) - done, len(data) - self.at)
                buf[done : done + n] = memoryview(data)[self.at : self.at + n]
                done += n
                self.at += n
                if self.at == len(data):
                    self.part += 1
                    self.at = 0
            return done

        # The size of the reader's buffer: the largest it takes, as each filling is a call.
        def ioctl(self, request, arg):
            return 255 if request == 11 else 0

    # What code in these buffers does as a function of one argument, a small int.
    def load(parts):
        parts = [bytes_of(part) for part in parts]
        size = sum([len(part) for part in parts])
        parts.insert(0, head(size, feature(), "wamr_code_in_memory__", b""))
        parts.append(b"\x00")
        return _import(lambda: _Parts(parts)).f

    # The same of a file, and its `about`.
    def load_file(path):
        found = _import(lambda: open(path, "rb"))
        return found.f, found.about

    def _import(opener):
        vfs.mount(_Files(opener), "/wamr_code")
        sys.path.insert(0, "/wamr_code")
        try:
            return __import__("wamr_code")
        finally:
            sys.path.pop(0)
            sys.modules.pop("wamr_code", None)
            vfs.umount("/wamr_code")

else:
    import ctypes
    import mmap

    def bytes_of(buf):
        return bytes(buf)

    # The code and `about` of a file.
    def load_file(path):
        with open(path, "rb") as file:
            data = file.read()
        end = ABOUT + (data[ABOUT - 2] & 0x7F) * 128 + data[ABOUT - 1]
        # Behind the code: the end of the .mpy file, and the checksum.
        return load((data[end + 21 : -5],)), data[ABOUT:end]

    # What code in these buffers does as a function of one argument, a small int.
    class load:
        def __init__(self, parts):
            code = b"".join(parts)
            self.map = mmap.mmap(-1, len(code), prot=mmap.PROT_READ | mmap.PROT_WRITE)
            self.map[:] = code
            base = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
            libc = ctypes.CDLL(None, use_errno=True)
            executable = mmap.PROT_READ | mmap.PROT_EXEC
            if libc.mprotect(ctypes.c_void_p(base), ctypes.c_size_t(len(code)), executable):
                raise OSError(ctypes.get_errno(), "this system does not allow generated code")
            size = ctypes.c_size_t
            self._enter = ctypes.CFUNCTYPE(size, size, size, size, ctypes.c_void_p)(base)
            self._args = (ctypes.c_uint64 * 1)()

        # As MicroPython calls a viper function: an array of objects, here one small int.
        def __call__(self, number):
            self._args[0] = number << 1 | 1
            self._enter(0, 1, 0, self._args)
