"""The built-in libc: what apps import from the module `env`.

Only the tables below are in memory from the start; the functions are in files that are loaded when
an app imports one of them.
"""

import sys

# For each file its functions: name, signature (the letters of wamr.native()) and, after "=", the
# method when it is called otherwise. A name may stand here twice, with two signatures.
_TABLES = (
    "stdio",
    " printf(uu)i sprintf(uuu)i snprintf(uuuu)i puts(u)i putchar(i)i ",
    "files",
    " fprintf(uuu)i fputs(uu)i fputc(iu)i putc(iu)i=fputc fwrite(uuuu)u fflush(u)i ",
    "malloc",
    " malloc(u)u free(u) calloc(uu)u realloc(uu)u strdup(u)u _strdup(u)u=strdup"
    " __cxa_allocate_exception(u)u=malloc ",
    "string",
    " memcpy(uuu)u memmove(uuu)u=memcpy memset(uiu)u memcmp(uuu)i memchr(uiu)u strlen(u)u"
    " strchr(ui)u strcmp(uu)i=strncmp strncmp(uuu)i strncasecmp(uuu)i strcpy(uu)u strncpy(uuu)u"
    " strspn(uu)u strcspn(uu)u strstr(uu)u emscripten_memcpy_big(uuu)u=memcpy"
    " emscripten_memcpy_big(uuu)=memcpy emscripten_memcpy_js(uuu)=memcpy ",
    "ctype",
    " isupper(i)i isalpha(i)i isspace(i)i isgraph(i)i isprint(i)i isdigit(i)i isxdigit(i)i"
    " isalnum(i)i tolower(i)i toupper(i)i atoi(u)i strtol(uui)i strtoul(uui)u ",
    "process",
    " exit(i) abort(i) abort() abort(uuuu)=abort_with"
    " __handle_stack_overflow(u)=stack_overflow __handle_stack_overflow()=stack_overflow"
    " __assert_fail(uuuu)=assert_fail __cxa_throw(uuu)=throw"
    " clock()I clock_gettime(iu)i time(u)I time(u)i=time32 bsearch(uuuuu)u qsort(uuuu) ",
    "emscripten2019",
    " setTempRet0(u) getTempRet0()u llvm_bswap_i16(u)u llvm_bswap_i32(u)u bitshift64Lshr(uuu)u"
    " bitshift64Shl(uuu)u llvm_stacksave()u=nothing"
    " llvm_stackrestore(u)=nothing __cxa_begin_catch(u)=nothing __cxa_begin_catch(u)u=nothing"
    " emscripten_resize_heap(u)i=nothing abortOnCannotGrowMemory()i"
    " abortOnCannotGrowMemory(u)i enlargeMemory()i=nothing getTotalMemory()u"
    " __setErrNo(i)=nothing ",
)


class Libc:
    """The namespace of module `env`: functions, and for emscripten's modules also memory, table
    and globals.

    stdout, stderr: where the app prints: a callable that takes bytes, or a stream; None is the
    console. What an app prints to stderr goes to `stdout` when only that is given. environment:
    see emscripten.py.
    """

    def __init__(self, stdout=None, stderr=None, environment=None):
        self.write = writer(stdout, "stdout")
        self.write_error = writer(stderr, "stderr") if stderr or not stdout else self.write
        self.environment = environment
        self.register = 0  # the upper half of 64-bit results in modules of 2019
        self._parts = {}

    def resolve(self, name, kind, type, module):
        if kind != "func":
            return self.environment.resolve(name, kind, type) if self.environment else None
        found = self._function(name, type, False)
        if found is None and name[:1] == "_":
            # C names as emscripten wrote them until 2019.
            found = self._function(name[1:], type, True)
        return found

    # The native of this type; when only the type is wrong, one of another type, which linking then
    # refuses.
    def _function(self, name, type, is_2019):
        from ..wasm.externs import Native

        # Families of names, one function for all.
        if name[:9] == "nullFunc_" or name == "abortStackOverflow":
            return Native("(i)", self._part("process", False).abort_as(name))
        if name[:9] == "__syscall" and name[9:].isdigit() and type:
            part = self._part("emscripten2019", False)
            return Native("(" + "u" * len(type[0]) + ")i", part.syscall)
        if " " in name:
            return None
        if name[-6:] == "printf":
            # vprintf takes the same argument block as printf; iprintf and __small_printf are
            # emscripten's, for programs that print no floats or no long doubles.
            name = name.replace("__small_", "").replace("iprintf", "printf")
            if name[0] == "v":
                name = name[1:]
        wanted = " %s(" % name
        first = None
        for i in range(1, len(_TABLES), 2):
            table = _TABLES[i]
            at = table.find(wanted)
            while at >= 0:
                end = table.find(" ", at + 1)
                signature = table[at + len(wanted) - 1 : end]
                alias = signature.find("=")
                if alias >= 0:
                    method = signature[alias + 1 :]
                    signature = signature[:alias]
                else:
                    method = name
                native = Native(signature, getattr(self._part(_TABLES[i - 1], is_2019), method))
                if type is None:
                    return native
                if native.type == type:
                    # What the module has already need not be there twice: 100 bytes each.
                    native.type = type
                    native.signature = native.params
                    return native
                first = first or native
                at = table.find(wanted, end)
        return first

    # The object that has the functions of one file as methods, so that they know where to print.
    def _part(self, name, is_2019):
        key = "2019 " + name if is_2019 else name
        part = self._parts.get(key)
        if part is None:
            file = __import__(__name__ + "." + name, None, None, ("Functions",))
            part = self._parts[key] = file.Functions()
            part.libc = self
            part.is_2019 = is_2019
        return part


def writer(stream, console):
    """A function that writes bytes to `stream`: a callable, a stream, or None for the console."""
    if callable(stream):
        return stream
    if stream is None:
        # Looked up at each call: tests and shells replace them.
        return lambda data: _write(getattr(sys, console, sys.stdout), data)
    return lambda data: _write(stream, data)


def _write(stream, data):
    try:
        # MicroPython's text streams take bytes, and its console makes "\r\n" of "\n".
        stream.write(data)
    except TypeError:
        stream.flush()
        raw = getattr(stream, "buffer", None)
        if raw:
            raw.write(data)
            raw.flush()
        else:
            stream.write(data.decode("utf-8", "replace"))
