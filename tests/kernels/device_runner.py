"""Runs one benchmark kernel, the same code on CPython, the unix port and boards.

A line of the result is `run(N) CHECKSUM FUEL`: the unsigned checksum, and the fuel of that call.
"""
# ruff: noqa: UP031


# Runs run(n), suspending it after each of the first `suspensions` units of fuel.
def call(instance, n, suspensions):
    execution = instance.start("run", n)
    for _ in range(suspensions):
        if execution.step(1):
            break
    while not execution.done and not execution.step(20000):
        pass
    return execution.result & 0xFFFFFFFF, execution.fuel_used


def main(path, counts=(1, 3), suspensions=0, report=print, engine="portable"):
    import wamr

    instance = wamr.Instance(wamr.Module(path), engine=engine)
    for n in counts:
        report("run(%d) %d %d" % ((n,) + call(instance, n, suspensions)))
