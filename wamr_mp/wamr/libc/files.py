"""stdio's functions that take a FILE: only stdout and stderr exist, and nothing is buffered."""

from wamr.libc.stdio import format_to


# FILE pointers exist where somebody provides the variables `stdout` and `stderr`: see
# emscripten.py.
def _writer(libc, file):
    environment = libc.environment
    is_error = environment and file == environment.stderr
    return libc.write_error if is_error else libc.write


def fprintf(libc, instance, file, text, arguments):
    return format_to(libc, instance.memory, text, arguments, _writer(libc, file))


def fputs(libc, instance, text, file):
    _writer(libc, file)(instance.memory.read_cstr(text))
    return 1


def fputc(libc, instance, c, file):
    c &= 0xFF
    _writer(libc, file)(bytes((c,)))
    return c


def fwrite(libc, instance, data, size, count, file):
    _writer(libc, file)(instance.memory.read(data, size * count))
    return count if size else 0


def fflush(libc, instance, file):
    return 0
