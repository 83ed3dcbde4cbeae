"""Code: the machine code of a module, loaded, and where it is entered."""

from wamr.host import address_of, array, const, struct
from wamr.compiler import builds, context, unload

# Words of the table, see Program.table().
_WIDE = const(0)
_THUMB = const(1)
_GUARD = const(2)
_START = const(3)
_START_RESULT = const(4)
_AGAIN = const(5)
_FUNCTIONS = const(6)


jump = None  # see in_place.py


class Code:
    """enter: see loader.py; table: see Program.table(); size: bytes of code; origin: in a word,
    where it comes from; buf: where it is, if that is in place.
    """

    def __init__(self, module, enter, table, size, origin, buf=None):
        self.module = module
        self.enter = enter
        self.table = memoryview(table)
        self.size = size
        self.origin = origin
        self._sites = None, None  # of the function that was asked for last
        self.wide = bool(self._word(_WIDE))
        self.guard = self._word(_GUARD)
        self.buf = buf
        # The address of an offset in the code, as the machine wants to jump to it, less the
        # offset.
        self.base = (address_of(buf) if buf else self._probe()) + self._word(_THUMB)

    # Entered with nothing to resume, the code only tells where it is.
    def _probe(self):
        probe = array("Q", bytes(context.TABLES))
        self.enter(address_of(probe) >> 2)
        return probe[context.BASE // 8]

    def _word(self, i):
        return struct.unpack_from("<I", self.table, 4 * i)[0]

    def address(self, index):
        """Where the function of this index is entered."""
        return self.base + self._word(_FUNCTIONS + index - self.module.n_imported_funcs)

    def start(self, n_results):
        """Where a call from outside begins."""
        return self.base + self._word(_START_RESULT if n_results == 1 else _START)

    def again(self):
        """Where the access that trapped is tried again."""
        return self.base + self._word(_AGAIN)

    # Where in the module the code before `address` stands, which is behind a call: (function, pc,
    # cells from its frame to that of the callee, number of the trap, address where to try again,
    # cells from its frame to the return address), or None. Followed by forget_sites().
    def site(self, address):
        found = None
        for index in range(self.module.n_imported_funcs, len(self.module.funcs)):
            at = self.address(index)
            if at < address and (found is None or at > self.address(found)):
                found = index
        if found is None:
            return None
        if self not in builds:
            builds.append(self)
        from wamr.compiler.values import frame_layout

        if self._sites[0] != found:
            from wamr.compiler import machine
            from wamr.compiler.program import sites

            self._sites = found, sites(self.module, machine.assembler(), found)
        start = self.address(found)
        about = self._sites[1].get(address - start)
        if about is None:
            return None
        pc, cells, number, retry = about
        layout = frame_layout(self.module, found)
        return found, pc, cells, number, retry and retry + start, layout

    def forget_sites(self):
        """Free what site() needed."""
        self._sites = None, None
        if self in builds:
            builds.remove(self)
        unload()
