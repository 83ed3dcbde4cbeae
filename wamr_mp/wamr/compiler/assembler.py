"""The part of an assembler that does not depend on the instruction set: code buffer and labels."""


class Assembler:
    THUMB = 0  # what is added to an address to jump to it
    TRUNCATES = b""  # the truncations that the target does
    GUARD = 0  # bytes at the end of the cell stack that small frames may use unchecked

    def __init__(self):
        self.code = bytearray()
        self.labels = []  # offset of each label, or -1 while it is not known
        self.guaranteed = 0  # bytes that the memory has at least
        self.keep_limit = False  # whether the function at hand uses the memory
        self.is_leaf = False  # and whether it calls nothing
        self.far = False  # whether it is too large for short branches
        self.sites = (
            None  # offset behind a call -> what is called there, if somebody wants to know
        )
        self.about = None
        self.waiting = []  # (label, place, base): the distance from base is wanted at place

    # A label is a number; it can be branched to before it is bound.
    def label(self):
        self.labels.append(-1)
        return len(self.labels) - 1

    def bind(self, label):
        self.labels[label] = len(self.code)

    # Patches the branches to labels that are known now. Called at the end of each function, so
    # that the list stays short; what is left are calls of functions still to come.
    def patch(self):
        left = []
        for fixup in self.waiting:
            target = self.labels[fixup[0]]
            if target < 0:
                left.append(fixup)
            else:
                self.patch_at(fixup[1], fixup[2], target)
        self.waiting = left

    # Behind every call: of functions, and of the stubs that leave. From here a backtrace finds its
    # way.
    def site(self):
        if self.sites is not None:
            self.sites[len(self.code)] = self.about

    def u32(self, value):
        code = self.code
        code.append(value & 0xFF)
        code.append(value >> 8 & 0xFF)
        code.append(value >> 16 & 0xFF)
        code.append(value >> 24 & 0xFF)
