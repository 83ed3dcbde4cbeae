"""Which functions the built-in libc has, and in which files they are.

Needed only while an app is linked, and forgotten then.
"""

from wamr.wasm.externs import Native

# For each file its functions: name, signature (the letters of wamr.native()) and, after "=", the
# function when it is called otherwise. A name may stand here twice, with two signatures.
TABLES = (
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


# Looks up a name in such a table, from position `at` on: (signature, function, position behind
# it), or None.
def look_up(table, name, at=0):
    if " " in name:
        return None
    wanted = " %s(" % name
    at = table.find(wanted, at)
    if at < 0:
        return None
    end = table.find(" ", at + 1)
    signature, _, function = table[at + len(wanted) - 1 : end].partition("=")
    return signature, function or name, end


# The native of this type; when only the type is wrong, one of another type, which linking then
# refuses; or None. Without a type, the first of this name.
def find(libc, name, type):
    # Families of names, one function for all.
    if name[:9] == "nullFunc_" or name == "abortStackOverflow":
        return Native("(i)", _file("process").abort_as(name), None, libc)
    if name[:9] == "__syscall" and name[9:].isdigit() and type:
        signature = "(" + "u" * len(type[0]) + ")i"
        return Native(signature, _file("emscripten2019").syscall, None, libc)
    if name[-6:] == "printf":
        # vprintf takes the same argument block as printf; iprintf and __small_printf are
        # emscripten's, for programs that print no floats or no long doubles.
        name = name.replace("__small_", "").replace("iprintf", "printf")
        if name[0] == "v":
            name = name[1:]
    other = None
    for i in range(0, len(TABLES), 2):
        found = look_up(TABLES[i + 1], name)
        while found:
            signature, function, at = found
            native = Native(signature, getattr(_file(TABLES[i]), function), type, libc)
            if native.type == type or type is None:
                return native
            other = other or native
            found = look_up(TABLES[i + 1], name, at)
    return other


def _file(name):
    return __import__("wamr.libc." + name, None, None, (name,))
