"""stdio's functions that take a FILE: only stdout and stderr exist, and nothing is buffered."""

from .stdio import Functions as Stdio


class Functions(Stdio):
    # FILE pointers exist where somebody provides the variables `stdout` and `stderr`: see
    # emscripten.py.
    def _writer(self, file):
        environment = self.libc.environment
        is_error = environment and file == environment.stderr
        return self.libc.write_error if is_error else self.libc.write

    def fprintf(self, instance, file, text, arguments):
        return self.format(instance.memory, text, arguments, self._writer(file))

    def fputs(self, instance, text, file):
        self._writer(file)(instance.memory.read_cstr(text))
        return 1

    def fputc(self, instance, c, file):
        c &= 0xFF
        self._writer(file)(bytes((c,)))
        return c

    def fwrite(self, instance, data, size, count, file):
        self._writer(file)(instance.memory.read(data, size * count))
        return count if size else 0

    def fflush(self, instance, file):
        return 0
