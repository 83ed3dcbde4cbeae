"""Types in words, for people (specification 6.4, Types)."""


def type_name(code):
    if code < 0x70:
        return "externref"
    return "funcref" if code == 0x70 else ("f64", "f32", "i64", "i32")[code - 0x7C]


# A type in words, for Module.imports and for messages.
def words(kind, what):
    if kind == "func":
        return "(%s) -> %s" % (
            ", ".join([type_name(c) for c in what[0]]),
            ", ".join([type_name(c) for c in what[1]]) or "()",
        )
    if kind == "global":
        return ("mut " if what[1] else "") + type_name(what[0])
    low, high = what[:2] if kind == "memory" else what[1:]
    limits = "%d.." % low if high is None else "%d..%d" % (low, high)
    if kind == "memory":
        return "%s pages of %d" % (limits, what[2])
    return type_name(what[0]) + " " + limits


def type_code(name):
    for code in b"\x7f\x7e\x7d\x7c\x70\x6f":
        if type_name(code) == name:
            return code
    raise ValueError("%r is not a value type: i32, i64, f32, f64, funcref, externref" % (name,))
