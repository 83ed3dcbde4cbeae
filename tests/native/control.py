"""Random function bodies for generate.py: statements, blocks, branches, calls, tables, bulk."""

from __future__ import annotations

import random
from dataclasses import dataclass

from wat import leb, vector

from native.expressions import F32, F64, I32, I64, NUMBERS, Expressions

FUNCREF = 0x70
NOTHING = 0x40
# Global variables: an imported one, one of each type, and what limits the calls.
GLOBALS = {I32: [1], I64: [0, 2], F32: [3], F64: [4]}
LIMIT = 5

Types = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass
class Shape:
    """What the functions of a module may refer to."""

    functions: list[Types]  # function i has type i; imported ones first
    blocks: list[Types]  # types of blocks, numbered behind those of functions
    memory_bytes: int
    slots: int  # elements of table 0
    n_tables: int
    n_elems: int
    n_datas: int


class Body(Expressions):
    """One function."""

    def __init__(self, rng: random.Random, shape: Shape, index: int) -> None:
        params, self.results = shape.functions[index]
        super().__init__(rng, params, shape.memory_bytes)
        self.shape = shape
        # What a branch to each label takes along, the outermost first; None: not branched to.
        self.labels: list[tuple[int, ...] | None] = [self.results]

    # No more calls than the limit, and so no endless recursion.
    def encode(self) -> bytes:
        self.op(0x23, LIMIT)
        self.code += b"\x45\x04\x40\x00\x0b"  # trap at 0
        self.op(0x23, LIMIT)
        self.code += b"\x41\x01\x6b"
        self.op(0x24, LIMIT)
        self.statements(3)
        for kind in self.results:
            self.value(kind, 4)
        self.op(0x0B)
        body = vector(*[b"\1" + bytes([kind]) for kind in self.extra]) + self.code
        return leb(len(body)) + body

    # ---- values

    def more_forms(self) -> list[tuple]:
        return [
            (self.global_get, 3),
            (self.if_value, 4),
            (self.block_value, 4),
            (self.table_value, 2),
            (self.wide_block, 3),
            (self.call_value, 6),
            (self.about_tables, 1),
            (self.gone, 1),
        ]

    def global_get(self, kind: int, depth: int) -> None:
        self.op(0x23, self.rng.choice(GLOBALS[kind]))

    def if_value(self, kind: int, depth: int) -> None:
        self.value(I32, depth)
        self.op(0x04, kind)
        self.labels.append((kind,))
        self.value(kind, depth)
        self.op(0x05)
        self.value(kind, depth)
        self.end()

    def block_value(self, kind: int, depth: int) -> None:
        self.op(0x02, kind)
        self.labels.append((kind,))
        self.value(kind, depth)
        for _ in range(self.rng.randrange(3)):
            self.value(I32, depth)
            self.op(0x0D, self.rng.choice(self.labels_for((kind,))))
        self.end()

    # A br_table out of nested blocks, each of which takes the value along.
    def table_value(self, kind: int, depth: int) -> None:
        n = self.rng.randrange(1, 5)
        for _ in range(n):
            self.op(0x02, kind)
            self.labels.append((kind,))
        self.value(kind, depth)
        self.value(I32, depth)
        self.br_table(self.labels_for((kind,)))
        for _ in range(n):
            self.end()
            if self.rng.random() < 0.5:
                self.value(kind, 0)
                self.value(I32, 0)
                self.op(0x1B)

    # A block with parameters and several results, of which the first is kept.
    def wide_block(self, kind: int, depth: int) -> None:
        found = [i for i, (_, results) in enumerate(self.shape.blocks) if results[0] == kind]
        if not found:
            return self.leaf(kind)
        number = self.rng.choice(found)
        params, results = self.shape.blocks[number]
        for param in params:
            self.value(param, depth)
        form = self.rng.choice([0x02, 0x03, 0x04])
        if form == 0x04:
            self.value(I32, depth)
        self.op(form, len(self.shape.functions) + number)
        # A branch to a loop would begin it again.
        self.labels.append(None if form == 0x03 else results)
        self.wide_body(params, results, depth)
        if form == 0x04:
            self.op(0x05)
            self.wide_body(params, results, depth)
        self.end()
        self.code += b"\x1a" * (len(results) - 1)
        return None

    def wide_body(self, params: tuple[int, ...], results: tuple[int, ...], depth: int) -> None:
        kept = 0  # the parameters that stay as the first results
        while kept < min(len(params), len(results)) and params[kept] == results[kept]:
            kept += 1
        self.code += b"\x1a" * (len(params) - kept)
        for kind in results[kept:]:
            self.value(kind, depth - 1)
        labels = self.labels_for(results)
        if labels and self.rng.random() < 0.5:
            self.value(I32, depth - 1)
            self.op(0x0D, self.rng.choice(labels))

    def call_value(self, kind: int, depth: int) -> None:
        found = [i for i, f in enumerate(self.shape.functions) if f[1][:1] == (kind,)]
        if not found:
            return self.constant(kind)
        self.call(self.rng.choice(found), depth - 1)
        return None

    # ref.is_null, table.size or table.grow
    def about_tables(self, kind: int, depth: int) -> None:
        if kind != I32:
            return self.leaf(kind)
        table = self.rng.randrange(self.shape.n_tables)
        pick = self.rng.random()
        if pick < 0.4:
            self.reference()
            self.op(0xD1)
        elif pick < 0.6:
            self.op(0xFC, 16, table)
        else:
            self.reference()
            self.i32(self.rng.choice([0, 1, 2, 100, 0xFFFFFFFF]))
            self.op(0xFC, 15, table)
        return None

    # Code that does not come back; what follows it is dead.
    def gone(self, kind: int, depth: int) -> None:
        rng = self.rng
        pick = rng.random()
        if pick < 0.45:
            self.branch_values(depth)
        elif pick < 0.6:
            for result in self.results:
                self.value(result, depth)
            self.op(0x0F)
        elif pick < 0.95:
            same = [i for i, f in enumerate(self.shape.functions) if f[1] == self.results]
            self.call(rng.choice(same), depth, tail=True)
        else:
            self.op(0x00)

    # br or br_table to any label, with what it takes.
    def branch_values(self, depth: int) -> None:
        takes = self.rng.choice([kinds for kinds in self.labels if kinds is not None])
        for kind in takes:
            self.value(kind, depth)
        labels = self.labels_for(takes)
        if self.rng.random() < 0.5:
            self.op(0x0C, self.rng.choice(labels))
        else:
            self.value(I32, depth)
            self.br_table(labels)

    # ---- calls

    # A call leaves the first result of several.
    def call(self, callee: int, depth: int, tail: bool = False) -> None:
        rng = self.rng
        params, results = self.shape.functions[callee]
        for param in params:
            self.value(param, depth - 1)
        if rng.random() < 0.5:
            self.op(0x12 if tail else 0x10, callee)
        else:
            pick = rng.random()
            if pick < 0.8:
                self.i32(callee)
            elif pick < 0.9:
                self.i32(rng.choice([self.shape.slots - 1, self.shape.slots, 0xFFFFFFFF]))
            else:
                self.value(I32, 1)
                self.i32(15)
                self.op(0x71)
            table = 0 if rng.random() < 0.9 else rng.randrange(self.shape.n_tables)
            self.op(0x13 if tail else 0x11, callee, table)
        if not tail:
            self.code += b"\x1a" * (len(results) - 1)

    def reference(self) -> None:
        rng = self.rng
        pick = rng.random()
        if pick < 0.2:
            self.op(0xD0, FUNCREF)
        elif pick < 0.7:
            self.op(0xD2, rng.randrange(len(self.shape.functions)))
        else:
            self.table_index()
            self.op(0x25, rng.randrange(self.shape.n_tables))

    def table_index(self) -> None:
        end = self.shape.slots
        far = self.rng.choice([self.rng.randrange(end), end - 1, end, 0xFFFFFFFF])
        self.i32(self.rng.choice([0, 1, 1, far]))

    # ---- labels

    def labels_for(self, kinds: tuple[int, ...]) -> list[int]:
        """Depths of the labels to which a branch takes these."""
        return [d for d, takes in enumerate(reversed(self.labels)) if takes == kinds]

    def br_table(self, labels: list[int]) -> None:
        targets = [self.rng.choice(labels) for _ in range(self.rng.randrange(1, 7))]
        self.op(0x0E, len(targets) - 1, *targets)

    def end(self) -> None:
        self.op(0x0B)
        self.labels.pop()

    # ---- statements

    def statements(self, depth: int) -> None:
        for _ in range(self.rng.randrange(1, 4)):
            self.statement(depth)

    def statement(self, depth: int) -> None:
        rng = self.rng
        self.budget -= 1
        simple = {
            self.set_local: 35,
            self.store_any: 20,
            self.drop: 5,
            self.set_global: 8,
            self.call_any: 5,
            self.bulk: 4,
            self.table_statement: 4,
        }
        nested = {self.if_else: 8, self.block: 7, self.loop: 10, self.ladder: 2}
        if depth > 0 and self.budget >= 0 and rng.random() < 0.3:
            rng.choices(list(nested), list(nested.values()))[0](depth - 1)
        else:
            rng.choices(list(simple), list(simple.values()))[0]()

    def set_local(self) -> None:
        kind = self.rng.choice(NUMBERS)
        local = self.local(kind)
        if local is not None and local not in self.counters:
            self.value(kind, 3)
            self.op(0x21, local)

    def store_any(self) -> None:
        self.store(self.rng.choice(NUMBERS))

    def drop(self) -> None:
        self.value(self.rng.choice(NUMBERS), 2)
        self.op(0x1A)

    def set_global(self) -> None:
        kind = self.rng.choice(NUMBERS)
        self.value(kind, 3)
        self.op(0x24, self.rng.choice(GLOBALS[kind]))

    def call_any(self) -> None:
        callee = self.rng.randrange(len(self.shape.functions))
        self.call(callee, 2)
        if self.shape.functions[callee][1]:
            self.op(0x1A)

    def bulk(self) -> None:
        rng = self.rng
        segment = rng.randrange(self.shape.n_datas)
        what = rng.choice([(8, segment, 0), (9, segment), (10, 0, 0), (11, 0)])
        if what[0] != 9:
            self.address(1)
            if what[0] == 10:
                self.address(1)
            else:
                self.i32(rng.choice([0, 0, 0, 1, 5, 0xFFFFFFFF]))
            self.i32(rng.choice([0, 0, 1, 3, 7, 64, 5000, 0xFFFFFFFF]))
        self.op(0xFC, *what)

    def table_statement(self) -> None:
        rng = self.rng
        table, other = (rng.randrange(self.shape.n_tables) for _ in range(2))
        elems = rng.randrange(self.shape.n_elems)
        what = rng.choice([0x26, 12, 13, 14, 17])
        if what == 13:
            self.op(0xFC, 13, elems)
            return
        self.table_index()
        if what in (0x26, 17):
            self.reference()
        else:
            self.i32(rng.choice([0, 0, 0, 1, 2]))
        if what == 0x26:
            self.op(0x26, table)
            return
        self.i32(rng.choice([0, 0, 1, 1, 1, 2, 3, 0xFFFFFFFF]))
        self.op(0xFC, what, *{12: (elems, table), 14: (table, other), 17: (table,)}[what])

    def if_else(self, depth: int) -> None:
        self.value(I32, 2)
        self.op(0x04, NOTHING)
        self.labels.append(())
        self.statements(depth)
        if self.rng.random() < 0.5:
            self.op(0x05)
            self.statements(depth)
        self.end()

    def block(self, depth: int) -> None:
        self.op(0x02, NOTHING)
        self.labels.append(())
        self.statements(depth)
        if self.rng.random() < 0.7:
            self.value(I32, 2)
            self.op(0x0D, self.rng.choice(self.labels_for(())))
        else:
            self.branch_values(2)
        self.end()

    # loop … counter -= 1; br_if counter
    def loop(self, depth: int) -> None:
        counter = self.new_local(I32)
        self.counters.append(counter)
        self.i32(self.rng.randrange(1, 5))
        self.op(0x21, counter)
        self.op(0x03, NOTHING)
        self.labels.append(None)
        self.statements(depth)
        self.op(0x20, counter)
        self.code += b"\x41\x01\x6b"
        self.op(0x22, counter)
        self.op(0x0D, 0)
        self.end()

    # Deep nesting: a br_table out of many blocks, behind each of which something happens.
    def ladder(self, depth: int) -> None:
        n = self.rng.choice([5, 20, 60])
        self.code += b"\x02\x40" * n
        self.labels += [()] * n
        self.value(I32, 1)
        self.i32(63)
        self.op(0x71)
        self.op(0x0E, n - 1, *range(n))
        for step in range(n):
            self.end()
            self.op(0x23, 1)
            self.i32(step + 3)
            self.op(0x6C)
            self.op(0x24, 1)
