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


# Runs run(1) once for each of these amounts of fuel, after which it is suspended and resumed; each
# in a fresh instance. Every different end is reported once, so that there should be one line.
def at_each(path, fuels, report=print, **options):
    import wamr

    module = wamr.Module(path)
    seen = []
    for fuel in fuels:
        execution = wamr.Instance(module, **options).start("run", 1)
        if not execution.step(fuel):
            if execution.fuel_used != fuel:
                report("BAD used %d of %d" % (execution.fuel_used, fuel))
            execution.step()
        end = (execution.result & 0xFFFFFFFF, execution.fuel_used)
        if end not in seen:
            seen.append(end)
            report("run(1) %d %d" % end)


def main(path, counts=(1, 3), suspensions=0, report=print, engine="portable"):
    import wamr

    instance = wamr.Instance(wamr.Module(path), engine=engine)
    for n in counts:
        report("run(%d) %d %d" % ((n,) + call(instance, n, suspensions)))
