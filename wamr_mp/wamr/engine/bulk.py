"""The table and bulk memory instructions (0xFC 8 to 17), shared by all engines.

Specification: 4.4.6 Table Instructions, 4.4.7 Memory Instructions.

`instance.segments` says what has become of a segment: for the index of an element segment the list
of its references (they stay encoded until somebody wants them), or () once it is dropped; for
~index of a data segment () once it is dropped.
"""

from wamr.wasm.errors import Trap


def _check(at, n, size, what):
    if at + n > size:
        raise Trap("out of bounds %s access" % what)


# memory.init, memory.copy and memory.fill; `segment` is None but for memory.init.
def memory(op, instance, segment, dst, src, n):
    mem = instance.memory
    mem.check(dst, n)
    if op == 8:
        _, data, start, size = instance.module.datas[segment]
        if ~segment in instance.segments:
            size = 0
        _check(src, n, size, "memory")
    elif op == 10:
        mem.check(src, n)
    view = memoryview(mem.buf)
    # Slices of memoryviews are moved, as memmove does, without a copy in between. MicroPython also
    # moves what is behind the slice onto itself: [:] makes a view that has nothing behind it.
    if op == 8:
        view[dst : dst + n][:] = memoryview(data)[start + src : start + src + n]
    elif op == 10:
        view[dst : dst + n][:] = view[src : src + n]
    else:
        # What is filled is copied to fill as much again: few steps, and no second buffer.
        view = view[dst : dst + n]
        done = min(n, 64)
        view[:done] = bytes((src & 0xFF,)) * done
        while done < n:
            more = min(done, n - done)
            view[done : done + more][:] = view[:more]
            done += more


# table.init and table.copy.
def table(op, instance, a, b, dst, src, n):
    if op == 12:
        target = instance.tables[b]
        refs = instance.segments.get(a)
        if refs is None:
            from wamr.wasm.constexpr import references

            refs = instance.segments[a] = references(instance, a)
    else:
        target = instance.tables[a]
        refs = instance.tables[b].elems
    _check(src, n, len(refs), "table")
    elems = target.elems
    _check(dst, n, len(elems), "table")
    target.version += 1
    if n:
        elems[dst : dst + n] = refs[src : src + n]


def table_fill(instance, index, at, value, n):
    elems = instance.tables[index].elems
    instance.tables[index].version += 1
    _check(at, n, len(elems), "table")
    if n:
        elems[at : at + n] = [value] * n
