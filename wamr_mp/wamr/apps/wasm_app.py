"""An app in wasm: its exports are called with fuel slices, a watchdog, and buffers it is lent."""

import asyncio
import gc

from wamr.engine.execution import Execution
from wamr.heap import HeapError
from wamr.host import MICROPYTHON
from wamr.wasm.errors import Exit, Trap
from wamr.apps import clock
from wamr.apps.app import App, Watchdog
from wamr.apps.packet import to_text

_V = b""
_I = b"\x7f"
_II = b"\x7f\x7f"
_III = b"\x7f\x7f\x7f"
# The callback of each kind of message (see manager.py), and its parameters.
_CALLBACKS = (
    ("on_request", _II),
    ("on_response", _II),
    ("on_timer_callback", _I),
    ("on_sensor_event", _III),
    ("on_connection_data", _III),
)
_MAX_FUEL = 20000


class WasmApp(App):
    """An app whose code is wasm: `instance` runs it."""

    program = instance = None
    fuel = 64  # of one turn; adapts to the speed of the board
    destroying = False
    in_native = False  # whether the call under way runs in machine code
    ram = 0  # bytes of MicroPython's heap that loading it took; the first app brings the engine

    def load(self):
        from wamr.engine.auto import find
        from wamr.program import Program
        from wamr.wasm import externs
        from wamr.wasm.errors import LinkError
        from wamr.wasm.module import Module
        from wamr.apps.natives import imports

        config = self.manager.config
        before = _heap_in_use()
        module = Module(self.entry.source)
        taken = externs.pool and len(externs.pool.taken)
        engine = config.engine
        if engine == "auto" and not find(module):
            engine = "portable"  # to begin with
        elif engine == "native":
            from wamr.engine.native import load

            load(module)  # here, as deep inside a board's C stack has no room left for it
        try:
            self.program = Program(
                module,
                imports=imports(self, module),
                stdout=config.stdout,
                engine=engine,
                stack=config.stack,
                heap=self.settings["heap"],
                heap_start=config.heap_start,
                # What runs while it is being loaded cannot be interrupted: constructors, the start
                # function.
                fuel=config.start_fuel,
            )
        except Exit as e:
            raise Trap("env.exit(%s)" % e)
        except RuntimeError as e:
            raise LinkError(str(e))
        finally:
            if externs.pool and not self.program:
                # Nobody knows the memory of what could not be started, but the pool.
                while len(externs.pool.taken) > taken:
                    externs.pool.give(externs.pool.taken[-1][0])
        self.instance = self.program.instance
        self.instance.fuel = None
        self._functions = {}
        self.ram = _heap_in_use() - before
        self.compile()

    def unload(self):
        if self.program:
            self.program.close()
        self.program = self.instance = self._functions = None

    def is_native(self):
        return bool(self.instance and self.instance.native)

    def compile(self):
        if self.manager.config.engine == "auto" and self.state in ("new", "running"):
            # Machine code has the globals: new one would take them from under a call that goes on
            # in what gave way.
            if self.instance and not self.is_native() and not self.in_native:
                self.manager.compile(self)

    def figures(self):
        figures = App.figures(self)
        memory = self.instance and self.instance.memory
        if MICROPYTHON:
            figures["ram"] = self.ram if self.instance else 0
        figures["memory"] = len(memory.buf) if memory else 0
        if memory and memory.heap:
            figures["heapused"] = memory.heap.used
            figures["heappeak"] = memory.heap.peak
        figures["code"] = self.entry.size()
        if self.instance:
            from wamr.engine.info import info

            how = info(self.instance)
            figures["native"] = how.code
            text = how.engine + (": " + how.reason if how.reason else "")
            if how.reason == "being compiled":
                text += ", %d %%" % self.manager.compiling.percent()
            figures["engine"] = text
        return figures

    # ---- calls

    # The exported function of this name, as it is or as emscripten wrote it until 2019, and type;
    # or None. What was looked for once is known.
    def _export(self, name, params, results=_V):
        if name not in self._functions:
            self._functions[name] = self._find("_" + name, params, results) or self._find(
                name, params, results
            )
        return self._functions[name]

    def _find(self, name, params, results):
        if self.instance.module.find_function(name, (params, results)) is not None:
            return self.instance.export(name)
        return None

    # Machine code wants a stack in one piece: it gives way where there is none.
    def _execution(self, function, args):
        bits = function.args_to_bits(args)
        while True:
            try:
                return Execution(function, bits)
            except MemoryError:
                if not self.manager.make_room():
                    raise

    # Runs a function in slices of about slice_ms. Raises Watchdog, Trap, Exit.
    async def _call(self, function, *args):
        execution = self._execution(function, args)
        execution.fair = True
        config = self.manager.config
        limit = config.destroy_limit if self.destroying else self.settings["wd"]
        spent = fuel = 0
        self.in_native = self.is_native()
        try:
            while True:
                before = clock.ticks_ms()
                done = execution.step(self.fuel)
                clock.charge(execution.fuel_used - fuel)
                fuel = execution.fuel_used
                took = clock.ticks_ms() - before
                spent += took
                if took > config.slice_ms and self.fuel > 1:
                    self.fuel >>= 1
                elif took * 2 < config.slice_ms and not done and self.fuel < _MAX_FUEL:
                    self.fuel <<= 1
                if done:
                    return execution.result
                if execution.pending:
                    try:
                        value = await execution.pending
                    except (Trap, Exit, MemoryError):
                        raise
                    except Exception as e:
                        raise Trap("async import failed: %s %s" % (type(e).__name__, e))
                    execution.resume(value)
                else:
                    if spent >= limit:
                        raise Watchdog()
                    await asyncio.sleep(0)
        finally:
            execution.close()
            if self.in_native:
                self.in_native = False
                self.compile()  # should it have given way

    # A call whose failure ends only this call. False: it trapped.
    async def _try(self, function, *args):
        try:
            await self._call(function, *args)
            return True
        except Trap as e:
            text = str(e)
            place = ""
            for index, called, offset in e.backtrace[:1]:
                place = " (in %s at 0x%x)" % (called or "function %d" % index, offset)
            self.manager.log("Got exception running wasm code: Exception: %s%s" % (text, place))
        except Exit as e:
            self.manager.log("Got exception running wasm code: Exception: env.exit(%s)" % e)
        except HeapError as e:
            self.manager.log("Got exception running wasm code: Exception: %s" % e)
        except MemoryError:
            self.manager.log("Got exception running wasm code: Exception: allocate memory failed")
        return False

    async def on_init(self):
        function = self._export("on_init", _V)
        if function:
            if await self._try(function):
                return True
            self.end("dead", "on_init failed")
            await self._destroy()
        elif await self._main():
            self.unload()
            self.end("ended")
        else:
            self.end("dead", "Cannot find function on_init().")
        return False

    # A plain program: runs once. False: it is none.
    async def _main(self):
        from wamr.program import _ENTRIES

        for name in _ENTRIES:
            for params, results in ((_V, _V), (_V, _I), (_II, _I)):
                function = self._find(name, params, results)
                if function:
                    await self._try(function, *([0] * len(params)))
                    return True
        return False

    async def on_destroy(self):
        # Of an app whose on_init failed it was called then.
        if self.instance and self.state != "dead":
            await self._destroy()

    async def _destroy(self):
        function = self._export("on_destroy", _V)
        if function:
            self.destroying = True
            try:
                await self._try(function)
            except Watchdog:
                self.manager.log("app %s: on_destroy took too long" % to_text(self.name))
            except Exception as e:
                self.manager.log(
                    "app %s: on_destroy failed: %s %s" % (to_text(self.name), type(e).__name__, e)
                )
            finally:
                self.destroying = False

    # ---- messages

    async def deliver(self, kind, data):
        name, params = _CALLBACKS[kind]
        function = self._export(name, params)
        if not function:
            return
        if params == _I:
            await self._try(function, data)
            return
        first = ()
        if params == _III:
            first, data = (data[0],), data[1]
        if not data:
            await self._try(function, *(first + (0, 0)))
            return
        try:
            block = await self._lend(data)
            if not block:
                self.manager.log("app %s: no room in its heap for a message" % to_text(self.name))
                return
            args = first + (block, len(data))
            data = None
            await self._try(function, *args)
            await self._take_back(block)
        except (Trap, HeapError) as e:
            self.manager.log("Got exception running wasm code: Exception: %s" % e)

    # The allocator that the app brings, if it does: (to allocate, its further arguments, to pin,
    # to free). AssemblyScript's objects have a class id, and must be pinned while nothing refers
    # to them.
    def _allocator(self):
        if self._export("malloc", _I, _I) and self._export("free", _I):
            return self._export("malloc", _I, _I), (), None, self._export("free", _I)
        if self._export("__new", _II, _I):
            pin = self._export("__pin", _I, _I) or self._export("__retain", _I, _I)
            unpin = self._export("__unpin", _I) or self._export("__release", _I)
            return self._export("__new", _II, _I), (1,), pin, unpin
        return None

    # A copy of `data` in the app's memory. 0: no room.
    async def _lend(self, data):
        instance = self.instance
        allocator = None
        block = 0
        if instance.heap:
            block = instance.heap.alloc(len(data))
        else:
            allocator = self._allocator()
        if allocator:
            new, more, pin, _ = allocator
            block = await self._call(new, len(data), *more)
            if pin:
                block = await self._call(pin, block)
            block &= 0xFFFFFFFF
        if block:
            instance.memory.write(block, data)
        return block

    async def _take_back(self, block):
        heap = self.instance.heap
        if heap:
            heap.free(block)
            return
        free = self._allocator()[3]
        if free:
            await self._call(free, block - 0x100000000 if block > 0x7FFFFFFF else block)


# Bytes; CPython does not tell.
def _heap_in_use():
    if not MICROPYTHON:
        return 0
    gc.collect()
    return gc.mem_alloc()
