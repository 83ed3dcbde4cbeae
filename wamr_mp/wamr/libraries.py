"""The built-in libraries that a program is given: libc, WASI, emscripten's environment.

Needed only while a program is linked, and forgotten then.
"""

from wamr.host import const

# Functions that need the app heap, and its size.
_MALLOC = ("malloc", "calloc", "realloc", "strdup", "_strdup", "__cxa_allocate_exception")
_HEAP = const(8192)


# The namespaces that the module is to be linked to, and the libc among them or None. What the
# program needs later is left in it.
def namespaces(program, module, imports, env, dirs, output, stack, heap):
    libc = environment = None
    spaces = dict(imports or {})
    for where, _, kind, _ in module.import_list:
        if where == "env" or where[:4] == "GOT.":
            if not libc:
                from wamr.libc import Libc

                libc = Libc(*output)
            if not environment and (kind != "func" or where != "env"):
                from wamr.libc.emscripten import Environment

                environment = Environment(module, stack // 2, heap)
                program.environment = libc.environment = environment
        elif where[:5] == "wasi_" and not program.wasi:
            from wamr.libc.wasi import Wasi

            names = [program.name] + [str(a) for a in program.args]
            program.wasi = Wasi(names, env, dirs, *output, where == "wasi_unstable")
            _add(spaces, where, program.wasi)
    if libc:
        _add(spaces, "env", libc)
        _add(spaces, "global", {"NaN": float("nan"), "Infinity": float("inf")})
    if environment:
        for where, space in environment.got(libc).items():
            _add(spaces, where, space)
    return spaces, libc


# Puts a built-in namespace behind what the caller gave for this module name.
def _add(spaces, where, builtin):
    given = spaces.get(where)
    spaces[where] = builtin if given is None else _Chain((given, builtin))


class _Chain:
    def __init__(self, spaces):
        self.spaces = spaces

    # A name with an underscore in front, as in modules of 2019, stands for the one without.
    def resolve(self, name, kind, type, module):
        for space in self.spaces:
            for known in (name, name[1:]) if name[:1] == "_" else (name,):
                if hasattr(space, "resolve"):
                    found = space.resolve(known, kind, type, module)
                else:
                    found = space.get(known)
                if found is not None:
                    return found
        return None


# Bytes of the app heap, when the caller does not say: none for a module that uses neither malloc()
# nor arguments.
def heap_size(module, entries):
    for where, name, kind, _ in module.import_list:
        if where == "env" and kind == "func":
            if name in _MALLOC or name[:1] == "_" and name[1:] in _MALLOC:
                return _HEAP
    for name in entries:
        index = module.find_function(name)
        if index is not None and module.funcs[index][0]:
            return _HEAP
    return 0
