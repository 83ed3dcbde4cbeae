"""Machine code that is kept beside a module: found again, and never used for anything else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import wamr
from board import Board, Unix
from wamr.compiler import cache, machine, version
from wat import ON_DEVICE, wat

from native import x64_only

TEXT = """(func (export "f") (param i32) (result i32) (local i32)
    (loop $l
      (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))
  (func (export "trap") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "app.wasm"
    path.write_bytes(wat(TEXT))
    return path


def origin(path: Path) -> str:
    instance = wamr.Instance(wamr.Module(str(path)))
    assert instance.exports.f(4) == 10
    return wamr.info(instance).origin


@x64_only
def test_code_is_kept_and_found(path: Path) -> None:
    assert origin(path) == "compiled"
    told: list[tuple[int, int]] = []
    size = wamr.install(str(path), lambda *numbers: told.append(numbers))
    assert size > 100 and told[-1][0] == told[-1][1] > 0
    assert sorted(p.name for p in path.parent.iterdir()) == ["app.code", "app.wasm"]
    assert origin(path) == "cache"
    instance = wamr.Instance(wamr.Module(str(path)), engine="native")
    assert wamr.info(instance) == ("native", size, "cache", "")
    with pytest.raises(wamr.Trap, match="^integer divide by zero$") as caught:
        instance.exports.trap(0)
    assert [frame[:2] for frame in caught.value.backtrace] == [(1, "trap")]


@x64_only
def test_install_for_asyncio_can_be_cancelled(path: Path) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(wamr.install_async(str(path)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not path.with_suffix(".code").exists()
        assert await wamr.install_async(str(path)) > 100

    asyncio.run(main())
    assert origin(path) == "cache"


@x64_only
def test_damaged_code_is_not_used(path: Path) -> None:
    wamr.install(str(path))
    code = path.with_suffix(".code")
    data = code.read_bytes()
    module = wamr.Module(str(path))
    for i in range(len(data)):
        # What stands before the key is checked as the rest is.
        code.write_bytes(data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1 :])
        assert cache.find(module) is None, i
    for n in (0, 3, 50, 100, len(data) - 1):
        code.write_bytes(data[:n])
        assert cache.find(module) is None, n
    code.write_bytes(data + b"\0")
    assert origin(path) == "compiled"
    code.write_bytes(data)
    assert origin(path) == "cache"


@x64_only
def test_code_of_something_else_is_not_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wamr.install(str(path))
    module = wamr.Module(str(path))
    assert cache.find(module)
    with monkeypatch.context() as patch:
        patch.setattr(cache, "VERSION", version.VERSION + "x")
        assert cache.find(module) is None
    with monkeypatch.context() as patch:
        patch.setattr(machine, "target", lambda: "Thumb2")
        assert cache.find(module) is None
    # Only what is validated counts, to the last bit.
    path.write_bytes(wat(TEXT.replace("i32.const 1", "i32.const 3", 1)))
    assert cache.find(wamr.Module(str(path))) is None
    assert cache.find(wamr.Module(wat(TEXT))) is None  # it has no file


@x64_only
def test_a_full_disk_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "save", full)
    with pytest.raises(OSError, match="No space"):
        wamr.install(str(path))


@x64_only
def test_a_full_flash_has_no_room_for_code_of_an_older_compiler_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "VERSION", "0")
    wamr.install(str(path))
    monkeypatch.undo()

    def full(name: str, mode: str) -> Any:
        if "w" in mode and path.with_suffix(".code").exists():
            raise OSError(28, "No space left on device")
        return open(name, mode)

    monkeypatch.setattr(cache, "open", full, raising=False)
    wamr.install(str(path))
    assert origin(path) == "cache"


@x64_only
def test_micropython_takes_the_same_file(path: Path, unix: Unix) -> None:
    wamr.install(str(path))
    output = unix.exec(
        f"{ON_DEVICE}i = wamr.Instance(wamr.Module({str(path)!r}))\n"
        "print(i.exports.f(4), wamr.info(i).origin,"
        " [n for n in sys.modules if n.startswith('wamr.compiler.')])"
    )
    number, where, *files = output.split()
    assert (number, where) == ("10", "cache")
    assert sorted(f.strip("[',]") for f in files) == [
        "wamr.compiler.code",
        "wamr.compiler.context",
    ]


# Frozen code, which is told by an enter() of ours to be at a word or between two.
FROZEN = """
import uctypes
from wamr.compiler import cache, context, loader, machine
from wamr.host import array, struct
def enter_at(base):
    def enter(n):
        uctypes.bytearray_at((n << 2) + context.BASE, 8)[:] = struct.pack("<Q", base)
    return enter
def load(parts):
    loaded.append(bytes(parts[0]))
    return enter_at(4096)
loader.load = load
code = bytearray(range(64))
start = uctypes.addressof(code) & 3
cache.has_frozen = lambda: True
module = wamr.Module(wasm)
for target in "Thumb1", "Thumb2":
    machine.target = lambda: target
    about = cache.about(cache.key_of(module, target), array("I", (0, 1, 640, 0, 0, 0)), 9)
    for shift in 4, 6:
        cache._frozen = lambda key: (enter_at(uctypes.addressof(code) - start + shift), about)
        loaded = []
        found = cache.find(module)
        print(found.origin, found.base == 4097, [part[0] + start for part in loaded])
"""


@x64_only
def test_frozen_code_with_numbers_goes_to_words(unix: Unix) -> None:
    output = unix.exec(f"{ON_DEVICE}wasm = {wat(TEXT)!r}\n{FROZEN}")
    assert output.splitlines() == [
        "frozen False []",
        "frozen True [6]",
        "frozen False []",
        "frozen False []",
    ]


@x64_only
def test_code_is_loaded_where_some_is_frozen(unix: Unix) -> None:
    """What is frozen is in a package, which has another name than what the loader imports."""
    frozen = "import sys\nfrom wamr.compiler import FROZEN\nsys.modules[FROZEN] = sys"
    run = f'print(wamr.Instance(wamr.Module({wat(TEXT)!r}), engine="native").exports.f(4))'
    assert unix.exec(f"import wamr\n{run}\n{frozen}\n{run}").split() == ["10", "10"]


MEASURE = """
import gc, semihost, sys, wamr
def start():
    module = wamr.Module("/app.wasm")
    gc.collect()
    before = semihost.virtual_ns()
    instance = wamr.Instance(module, engine="native")
    spent = semihost.virtual_ns() - before
    return spent, wamr.info(instance).origin, instance.exports.f(4)
"""


@pytest.mark.parametrize("name", ["NETDUINOPLUS2", "VIRT_RV32"])
@pytest.mark.device
def test_the_second_start_on_a_board_costs_less(name: str, tmp_path: Path) -> None:
    path = tmp_path / "app.wasm"
    more = "(func (param i32) (result i32) (i32.mul (local.get 0) (i32.const 10)))" * 20
    path.write_bytes(wat(TEXT + more))
    with Board(name, flash=tmp_path / "flash.img", icount=True) as board:
        board.put(path, "/app.wasm")
        first, where, result = eval(board.exec(MEASURE + "print(start())"))
        assert (where, result) == ("compiled", 10)
        board.exec("wamr.install('/app.wasm')")
        board.restart()
        second, where, result = eval(board.exec(MEASURE + "print(start())"))
        assert (where, result) == ("cache", 10)
        print(f"{name}: {first} instructions, {second} from flash")
        assert second < first / 2


ROOM = """
import builtins, gc, wamr
from wamr.compiler.build import Build
def open_and_tell(path, mode):
    global in_use
    gc.collect()
    in_use = gc.mem_alloc() - before
    return opened(path, mode)
opened = builtins.open
module = wamr.Module("/app.wasm")
in_use = 0
gc.collect()
before = gc.mem_alloc()
build = Build(module, "/app.code")
builtins.open = open_and_tell
while build.step():
    pass
builtins.open = opened
print(in_use, module.native.size, module.native.origin)
"""


@pytest.mark.device
def test_code_is_loaded_when_the_compiler_is_gone(tmp_path: Path) -> None:
    """It wants a place in one piece, for which there is none among the compiler's things."""
    path = tmp_path / "app.wasm"
    path.write_bytes(wat(TEXT + "(func (param i32) (drop (i32.const 10)))" * 50))
    with Board("NETDUINOPLUS2") as board:
        board.put(path, "/app.wasm")
        in_use, size, origin = board.exec(ROOM).split()
    assert (int(size) > 1500, origin) == (True, "compiled")
    # When the file is opened for the last time. It was 5,888 with its leftovers.
    assert int(in_use) < 3500
