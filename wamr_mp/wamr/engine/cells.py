"""Values in the cells that machine code works on: 32 bits each, two for i64 and f64.

A reference in a cell is a number: 0 is null, any other stands for an object in `refs`, a dict that
belongs to the stack: id of the object -> its number, less than 0 -> the object of -number.
"""


def _number(refs, ref):
    if ref is None:
        return 0
    key = str(id(ref))  # which can be less than 0, as the numbers of objects are
    number = refs.get(key)
    if number is None:
        number = len(refs) // 2 + 1
        refs[-number] = ref
        refs[key] = number
    return number


# How many cells values of these types take.
def count(kinds):
    n = 0
    for kind in kinds:
        n += 2 if kind == 0x7E or kind == 0x7C else 1
    return n


# Writes values of these types to the cells from index `at` on.
def put(cells, at, values, kinds, refs):
    i = 0
    while i < len(values):
        kind = kinds[i]
        if kind == 0x7F or kind == 0x7D:
            cells[at] = values[i]
        elif kind < 0x7C:
            cells[at] = _number(refs, values[i])
        else:
            cells[at] = values[i] & 0xFFFFFFFF
            at += 1
            cells[at] = values[i] >> 32
        at += 1
        i += 1


def get(cells, at, kinds, refs):
    values = []
    while len(values) < len(kinds):
        kind = kinds[len(values)]
        value = cells[at]
        at += 1
        if kind == 0x7E or kind == 0x7C:
            value |= cells[at] << 32
            at += 1
        elif kind < 0x7C:
            value = refs[-value] if value else None
        values.append(value)
    return values
