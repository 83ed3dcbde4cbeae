"""The built-in libc: what apps import from the module `env`.

Only the tables below are in memory from the start; the functions are in files that are loaded when
an app imports one of them.
"""

import sys

# For each file its functions: name, signature (the letters of wamr.native()) and, after "=", the
# method when it is called otherwise. A name may stand here twice, with two signatures.
_TABLES = (
    "stdio",
    " printf(uu)i vprintf(uu)i=printf sprintf(uuu)i vsprintf(uuu)i=sprintf snprintf(uuuu)i"
    " vsnprintf(uuuu)i=snprintf iprintf(uu)i=printf siprintf(uuu)i=sprintf"
    " sniprintf(uuuu)i=snprintf __small_printf(uu)i=printf __small_sprintf(uuu)i=sprintf"
    " __small_snprintf(uuuu)i=snprintf puts(u)i putchar(i)i ",
    "files",
    " fprintf(uuu)i fiprintf(uuu)i=fprintf __small_fprintf(uuu)i=fprintf fputs(uu)i fputc(iu)i"
    " putc(iu)i=fputc fwrite(uuuu)u fflush(u)i ",
    "malloc",
    " malloc(u)u free(u) calloc(uu)u realloc(uu)u strdup(u)u _strdup(u)u=strdup"
    " __cxa_allocate_exception(u)u=malloc ",
    "string",
    " memcpy(uuu)u memmove(uuu)u=memcpy memset(uiu)u memcmp(uuu)i memchr(uiu)u strlen(u)u"
    " strchr(ui)u strcmp(uu)i strncmp(uuu)i strncasecmp(uuu)i strcpy(uu)u strncpy(uuu)u"
    " strspn(uu)u strcspn(uu)u strstr(uu)u emscripten_memcpy_big(uuu)u=memcpy"
    " emscripten_memcpy_big(uuu)=memcpy emscripten_memcpy_js(uuu)=memcpy"
    " _emscripten_memcpy_js(uuu)=memcpy ",
    "ctype",
    " isupper(i)i isalpha(i)i isspace(i)i isgraph(i)i isprint(i)i isdigit(i)i isxdigit(i)i"
    " isalnum(i)i tolower(i)i toupper(i)i atoi(u)i strtol(uui)i strtoul(uui)u ",
    "process",
    " exit(i) abort(i) abort() abort(uuuu)=abort_assemblyscript abortStackOverflow(i)"
    " __handle_stack_overflow(u)=stack_overflow __handle_stack_overflow()=stack_overflow"
    " __assert_fail(uuuu)=assert_fail __cxa_begin_catch(u)=begin_catch"
    " __cxa_begin_catch(u)u=begin_catch __cxa_throw(uuu)=throw emscripten_resize_heap(u)i"
    " clock()I clock_gettime(iu)i time(u)I time(u)i=time32 bsearch(uuuuu)u qsort(uuuu) ",
    "emscripten2019",
    " setTempRet0(u) getTempRet0()u llvm_bswap_i16(u)u llvm_bswap_i32(u)u bitshift64Lshr(uuu)u"
    " bitshift64Shl(uuu)u bitshift64Ashr(uuu)u llvm_stacksave()u llvm_stackrestore(u)"
    " abortOnCannotGrowMemory()i abortOnCannotGrowMemory(u)i enlargeMemory()i getTotalMemory()u"
    " __setErrNo(i)=set_errno ",
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
        if name[:9] == "nullFunc_":
            return Native("(i)", self._part("process", False).null_function(name))
        if name[:9] == "__syscall" and name[9:].isdigit() and type:
            part = self._part("emscripten2019", False)
            # With the arguments in a block in memory, or one by one.
            block = len(type[0]) == 2 and name != "__syscall1"
            return Native(
                "(" + "u" * len(type[0]) + ")i", part.syscall_block if block else part.syscall
            )
        if " " in name:
            return None
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
                if type is None or native.type == type:
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
            part = self._parts[key] = file.Functions(self, is_2019)
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
