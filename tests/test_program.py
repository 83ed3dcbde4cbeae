"""program.py and emscripten.py: linking, constructors, entry points, arguments, memory layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import wamr
from hypothesis import given, settings
from hypothesis import strategies as st
from wamr import pool
from wamr.program import Program
from wasmtime import wat2wasm

APPS = Path(__file__).resolve().parent.parent / "apps"


def build(text: str) -> bytes:
    return bytes(wat2wasm(f"(module {text})"))


def run(text: str, **options: object) -> tuple[object, bytes]:
    """Exit code and output of a program."""
    out = bytearray()
    code = wamr.run(build(text), stdout=out.extend, **options)
    return code, bytes(out)


# ---- entry points and exit codes


@pytest.mark.parametrize(
    "text, code",
    [
        ('(func (export "_start"))', 0),
        ('(func (export "main") (result i32) i32.const -3)', -3),
        ('(func (export "main"))', 0),
        ('(func (export "_main") (result i32) i32.const 4)', 4),
        ('(func (export "__main_void") (result i32) i32.const 5)', 5),
        ('(func (export "__original_main") (result i32) i32.const 6)', 6),
        ('(func (export "__main_argc_argv") (param i32 i32) (result i32) i32.const 7)', 7),
        ('(func (export "main") (param i32 i32))', 0),
        # The first of them counts, and one of another type does not.
        ('(func (export "main") (result i32) i32.const 1) (func (export "_start"))', 0),
        ('(func (export "_main") (param i64)) (func (export "main") (result i32) i32.const 8)', 8),
        ('(func (export "_start") (result i64) i64.const 0) (func (export "main"))', 0),
    ],
)
def test_entry_points(text: str, code: int) -> None:
    assert run(text)[0] == code


def test_no_entry_point() -> None:
    for text in ("", '(memory (export "main") 1)', '(func (export "run"))'):
        with pytest.raises(wamr.LinkError, match="no entry point.*_start.*function="):
            run(text)


EXIT = """
(import "env" "exit" (func $exit (param i32)))
(func $leave (call $exit (i32.const 9)))
"""


@pytest.mark.parametrize(
    "where",
    [
        '(export "main" (func $leave))',
        "(start $leave)",
        '(export "__wasm_call_ctors" (func $leave))',
    ],
)
def test_exit_is_a_result_wherever_it_happens(where: str) -> None:
    assert run(EXIT + where)[0] == 9


def test_traps_and_fuel() -> None:
    with pytest.raises(wamr.Trap, match="unreachable"):
        run('(func (export "main") unreachable)')
    with pytest.raises(wamr.Trap, match="out of fuel"):
        run('(func (export "main") (loop br 0))', fuel=100)


@pytest.mark.parametrize(
    "function, args, result",
    [
        ("add", (16, -3), 13),
        ("half", (2.5,), 1.25),
        ("half", (3,), 1.5),
        ("nothing", (), None),
        ("leave", (), 9),
    ],
)
def test_function(function: str, args: tuple, result: object) -> None:
    text = f"""{EXIT} (export "leave" (func $leave))
    (func (export "add") (param i32 i64) (result i64)
      (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))
    (func (export "half") (param f32) (result f32) (f32.mul (local.get 0) (f32.const 0.5)))
    (func (export "nothing"))"""
    assert run(text, function=function, args=args)[0] == result


def test_function_errors() -> None:
    text = '(memory (export "memory") 1) (func (export "f") (param i32))'
    with pytest.raises(wamr.LinkError, match="does not export 'none'"):
        run(text, function="none")
    for function, args in (("memory", ()), ("f", ()), ("f", ("1",))):
        with pytest.raises(TypeError):
            run(text, function=function, args=args)


# ---- arguments

ARGUMENTS = """
(import "env" "puts" (func $puts (param i32) (result i32)))
(import "env" "printf" (func $printf (param i32 i32) (result i32)))
(memory (export "memory") 1 1)
(data (i32.const 16) "%d %d %d\\n\\00")
(func (export "main") (param $argc i32) (param $argv i32) (result i32)
  (local $i i32)
  (i32.store (i32.const 64) (local.get $argc))
  (i32.store (i32.const 68) (i32.and (local.get $argv) (i32.const 3)))
  (block $no_arguments
    (br_if $no_arguments (i32.eqz (local.get $argc)))
    (loop $next
      (drop (call $puts (i32.load (local.get $argv))))
      (local.set $argv (i32.add (local.get $argv) (i32.const 4)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $argc))))
    (i32.store (i32.const 72) (i32.load (local.get $argv))))
  (drop (call $printf (i32.const 16) (i32.const 64)))
  (local.get $argc))
"""


def test_arguments(tmp_path: Path) -> None:
    expected = "app\none\n\ngr\u00fc\u00dfe\n7\n5 0 0\n".encode()
    assert run(ARGUMENTS, args=("one", "", "grüße", 7)) == (5, expected)
    path = tmp_path / "sum.wasm"
    path.write_bytes(build(ARGUMENTS))
    out = bytearray()
    assert wamr.run(path, ["1"], stdout=out.extend) == 2
    assert out == f"{path}\n1\n2 0 0\n".encode()


def test_without_a_heap_there_are_no_arguments() -> None:
    assert run(ARGUMENTS, heap=0) == (0, b"0 0 0\n")
    for heap in (0, 40):
        with pytest.raises(wamr.LinkError, match="no room in the app heap for the arguments: "):
            run(ARGUMENTS, heap=heap, args=("x" * 100,))


def test_arguments_in_the_apps_own_heap() -> None:
    text = (
        ARGUMENTS
        + """
    (func (export "malloc") (param i32) (result i32) i32.const 0x8000)
    (func (export "free") (param i32))"""
    )
    assert run(text, args=("x",)) == (2, b"app\nx\n2 0 0\n")


def test_heap_only_for_those_who_use_it() -> None:
    empty = '(memory (export "memory") 1 1) (func (export "main"))'
    puts = '(import "env" "puts" (func (param i32) (result i32)))'
    malloc = '(import "env" "_calloc" (func (param i32 i32) (result i32)))'
    for text, size in ((empty, 0), (puts + empty, 0), (malloc + empty, 8192), (ARGUMENTS, 8192)):
        program = Program(build(text))
        assert len(program.instance.memory.buf) == 65536 + size
        assert bool(program.instance.heap) == bool(size)
    assert len(Program(build(malloc + empty), heap=2048).instance.memory.buf) == 65536 + 2048


# ---- linking


def test_all_missing_imports_at_once() -> None:
    text = """
    (import "env" "led_on" (func (param i32)))
    (import "env" "puts" (func (param i32) (result i32)))
    (import "env" "limit" (global i32))
    (import "sensors" "read" (func (result f32)))
    (import "GOT.mem" "nowhere" (global (mut i32)))
    (func (export "main"))"""
    with pytest.raises(wamr.LinkError) as error:
        run(text)
    for part in ("led_on", "limit", "sensors", "read", "nowhere", "imports="):
        assert part in str(error.value)
    assert "puts" not in str(error.value)


@pytest.mark.parametrize("name", ["puts", "_puts"])
def test_a_wrong_type_names_both(name: str) -> None:
    with pytest.raises(wamr.LinkError) as error:
        run(f'(import "env" "{name}" (func (param i64))) (func (export "main"))')
    for part in (name, "(i64) -> ()", "(i32) -> i32"):
        assert part in str(error.value)


def test_imports_of_the_caller_come_first() -> None:
    seen: list[object] = []
    text = """
    (import "env" "_led" (func $led (param i32)))
    (import "env" "puts" (func $puts (param i32) (result i32)))
    (import "env" "putchar" (func $putchar (param i32) (result i32)))
    (import "board" "volts" (global $volts f64))
    (memory 1)
    (func (export "main")
      (call $led (i32.const -1))
      (drop (call $puts (i32.const 5)))
      (drop (call $putchar (i32.const 65))))"""

    def puts(text: int) -> int:
        seen.append(("puts", text))
        return 0

    imports = {"env": {"led": seen.append, "puts": puts}, "board": {"volts": 3.3}}
    assert run(text, imports=imports) == (0, b"A")
    assert seen == [-1, ("puts", 5)]


def test_libraries_by_name() -> None:
    text = """
    (import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32)))
    (import "global" "NaN" (global $nan f64)) (import "global" "Infinity" (global $inf f64))
    (import "env" "abort" (func))
    (func (export "main") (result i32)
      (i32.and
        (f64.ne (global.get $nan) (global.get $nan))
        (f64.gt (global.get $inf) (f64.const 1e308))))"""
    with pytest.raises(wamr.LinkError, match="wasi_snapshot_preview1"):
        run(text)
    assert run(text.replace("wasi_snapshot_preview1", "wasi_unstable"))[0] == 1


# ---- constructors


def constructors(*names: str) -> str:
    text = """
    (import "env" "putchar" (func $putchar (param i32) (result i32)))
    (func (export "main") (drop (call $putchar (i32.const 77))))"""
    for i, name in enumerate(names):
        text += f'(func (export "{name}") (drop (call $putchar (i32.const {97 + i}))))'
    return text


@pytest.mark.parametrize(
    "names, order",
    [
        (("__wasm_call_ctors", "__wasm_apply_data_relocs", "__post_instantiate"), b"cbaM"),
        (("__wasm_call_ctors",), b"aM"),
        (("_initialize", "__wasm_call_ctors"), b"aM"),
        (("_start", "__wasm_call_ctors", "_initialize"), b"a"),
    ],
)
def test_constructors(names: tuple[str, ...], order: bytes) -> None:
    assert run(constructors(*names)) == (0, order)


# ---- emscripten, 2019

OLD = """
(@custom "dylink" "\\28\\04\\00\\00\\00")
(import "env" "memory" (memory 1))
(import "env" "table" (table 4 funcref))
(import "env" "__memory_base" (global $base i32))
(import "env" "__table_base" (global $table_base i32))
(import "env" "_malloc" (func $malloc (param i32) (result i32)))
(import "env" "_printf" (func $printf (param i32 i32) (result i32)))
"""


def sizes(instance: wamr.Instance) -> tuple[int, int, int]:
    """Where the app heap starts and ends, and the bytes of memory."""
    heap = instance.heap
    return heap.start, heap.end, len(instance.memory.buf)


def test_layout_of_2019() -> None:
    text = (
        OLD
        + """
    (import "env" "STACKTOP" (global $top i32)) (import "env" "STACK_MAX" (global $max i32))
    (import "env" "ABORT" (global $abort i32))
    (import "env" "DYNAMICTOP_PTR" (global $dynamic i32))
    (import "env" "tempDoublePtr" (global $temp i32))
    (import "env" "memoryBase" (global $base2 i32))
    (import "env" "tableBase" (global $table_base2 i32))
    (import "env" "_stdout" (global $stdout i32))
    (func (export "_main") (result i32)
      (f64.store (global.get $temp) (f64.const 1.5))
      (i32.load (i32.load (global.get $stdout))))
    (func (export "values") (result i32 i32 i32 i32 i32 i32 i32 i32)
      global.get $base global.get $base2 global.get $table_base global.get $table_base2
      global.get $top global.get $max global.get $abort (i32.load (global.get $dynamic)))"""
    )
    program = Program(build(text), stack=8192, heap=1024)
    # 40 bytes of data, 4096 of stack, 24 of cells.
    assert program.call("values") == (0, 0, 0, 0, 48, 48 + 4096, 0, 65536)
    assert sizes(program.instance) == (
        48 + 4096 + 24,
        48 + 4096 + 24 + 1024,
        48 + 4096 + 24 + 1024,
    )
    assert program.main() == 48 + 4096 + 4  # the variable stdout, which points to itself
    program.close()


SEED = """
(func (export "_main") (param i32 i32) (result i32)
  (i32.store (i32.const 80) (call $malloc (i32.const 1024)))
  (drop (call $printf (global.get $base) (i32.const 80)))
  (i32.const 0))
(data (global.get $base) "buf ptr: %p\\0a\\00")
"""


def test_pointers_of_2019() -> None:
    assert run(OLD + SEED) == (0, b"buf ptr: 0x00001068\n")


# What does not say how much data it has gets its pages, and the heap behind them as in WAMR.
def test_module_of_2019_without_its_section() -> None:
    text = OLD.partition("\n(")[2].partition("\n")[2] + SEED
    assert run(text) == (0, b"buf ptr: 0x00011038\n")
    text = text.replace('"__memory_base" (global $base i32)', '"ABORT" (global $base i32)')
    assert run(text) == (0, b"buf ptr: 0x00010038\n")
    program = Program(build(text), heap=4096)
    assert program.instance.memory.size == 1
    assert sizes(program.instance) == (65536 + 24, 65536 + 24 + 4096, 65536 + 24 + 4096)


def test_imported_memory_that_grows() -> None:
    text = """
    (import "env" "memory" (memory 1 4))
    (import "env" "malloc" (func $malloc (param i32) (result i32)))
    (func (export "main") (result i32)
      (local $p i32)
      (local.set $p (call $malloc (i32.const 4)))
      (i32.store (local.get $p) (i32.const 42))
      (drop (memory.grow (i32.const 1)))
      (i32.add (i32.load (local.get $p)) (memory.size)))"""
    assert run(text)[0] == 42 + 3
    # There is no page left for the heap, so the memory cannot grow any more.
    assert run(text.replace("1 4", "1 1"))[0] == 42 + 1


# ---- emscripten, today

NEW = """
(@custom "dylink.0" "\\01\\04\\20\\04\\02\\00")
(type $f (func (param i32) (result i32)))
(import "env" "memory" (memory 1))
(import "env" "__indirect_function_table" (table 2 funcref))
(import "env" "__stack_pointer" (global $sp (mut i32)))
(import "env" "__memory_base" (global $base i32))
(import "env" "__table_base" (global $table_base i32))
(import "env" "malloc" (func $malloc (type $f)))
(import "env" "putchar" (func $putchar (type $f)))
(import "GOT.mem" "counter" (global $counter (mut i32)))
(import "GOT.mem" "stderr" (global $stderr (mut i32)))
(import "GOT.func" "putchar" (global $p_putchar (mut i32)))
(import "GOT.func" "twice" (global $p_twice (mut i32)))
(import "GOT.func" "toupper" (global $p_toupper (mut i32)))
(import "env" "fputc" (func $fputc (param i32 i32) (result i32)))
(global (export "counter") i32 (i32.const 8))
(func $twice (export "twice") (type $f) (i32.mul (local.get 0) (i32.const 2)))
(func $own (type $f) (i32.const 77))
(elem (global.get $table_base) $own $twice)
(data (global.get $base) "relocated")
(func $relocate (i32.store (i32.add (global.get $base) (i32.const 16)) (global.get $counter)))
(start $relocate)
(func $call (param $f i32) (param i32) (result i32)
  (call_indirect (type $f) (local.get 1) (local.get $f)))
"""


def test_layout_of_today() -> None:
    text = (
        NEW
        + """
    (func (export "values") (result i32 i32 i32 i32 i32)
      global.get $sp global.get $base global.get $table_base global.get $counter
      (i32.load (i32.add (global.get $base) (i32.const 16))))"""
    )
    program = Program(build(text), heap=1024)
    assert program.call("values") == (4096, 4096, 1, 4096 + 8, 4096 + 8)
    start = 4096 + 32 + 24
    assert sizes(program.instance) == (start, start + 1024, start + 1024)
    assert bytes(program.instance.memory.data[4096:4105]) == b"relocated"
    assert len(program.instance.tables[0]) == 1 + 2 + 3
    program.close()


def test_function_pointers_of_today() -> None:
    text = (
        NEW
        + """
    (func (export "main") (result i32)
      (drop (call $call (global.get $p_putchar) (i32.const 65)))
      (drop (call $fputc (i32.const 66) (i32.load (global.get $stderr))))
      (i32.add
        (i32.add
          (call $call (global.get $p_twice) (i32.const 4))
          (call $call (global.get $table_base) (i32.const 0)))
        (call $call (global.get $p_toupper) (i32.const 97))))"""
    )
    error = bytearray()
    assert run(text, stderr=error.extend) == (8 + 77 + 65, b"A")
    assert error == b"B"


def test_stack_overflow_of_today_traps() -> None:
    text = (
        NEW
        + """
    (func (export "main") (loop $down
      (global.set $sp (i32.sub (global.get $sp) (i32.const 16)))
      (i32.store (global.get $sp) (i32.const -1))
      (br $down)))"""
    )
    program = Program(build(text))
    with pytest.raises(wamr.Trap, match="out of bounds memory access"):
        program.main()
    assert bytes(program.instance.memory.data[4096:4105]) == b"relocated"


def test_stack_limits() -> None:
    text = (
        NEW
        + """
    (global $high (mut i32) (i32.const 0)) (global $low (mut i32) (i32.const -1))
    (func (export "__set_stack_limits") (param i32 i32)
      (global.set $high (local.get 0)) (global.set $low (local.get 1)))
    (func (export "values") (result i32 i32) global.get $high global.get $low)"""
    )
    assert Program(build(text), stack=2048).call("values") == (1024, 0)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["dylink", "dylink.0"]), st.binary(max_size=12), st.sampled_from([OLD, NEW])
)
def test_any_section(name: str, content: bytes, text: str) -> None:
    """Whatever the section says, it is a program, or refused with a reason."""
    text = "\n".join(line for line in text.splitlines() if "@custom" not in line)
    escaped = "".join(f"\\{byte:02x}" for byte in content)
    module = f'(@custom "{name}" "{escaped}") {text} (func (export "main"))'
    try:
        program = Program(build(module), heap=1024)
    except (wamr.CompileError, wamr.LinkError, wamr.Trap):
        return
    assert program.main() == 0


def test_huge_data_is_refused() -> None:
    module = OLD.replace("\\28\\04", "\\ff\\ff\\ff\\ff\\0f\\1f") + '(func (export "main"))'
    with pytest.raises(wamr.LinkError, match="not enough memory|pages"):
        pool.init(100000)
        try:
            run(module)
        finally:
            pool._heap = None


# ---- the samples that need this most; all of them are in test_apps.py


@pytest.mark.parametrize(
    "name, most", [("hello", 9500), ("hello_emscripten", 12500), ("hello_2019", 12500)]
)
def test_small_memory(name: str, most: int) -> None:
    program = Program(str(APPS / "hello" / f"{name}.wasm"), stdout=bytearray().extend)
    assert len(program.instance.memory.buf) <= most
    assert program.main() == 0


@pytest.fixture
def small_pool() -> Iterator[None]:
    pool.init(40000)
    yield
    pool._heap = None


def test_memory_goes_back_to_the_pool(small_pool: None) -> None:
    for _ in range(20):
        out = bytearray()
        assert wamr.run(str(APPS / "hello" / "hello.wasm"), stdout=out.extend) == 0
        with pytest.raises(wamr.Trap):
            wamr.run(build('(memory 0 1) (func (export "main") unreachable)'))
    assert pool.stats()[1] == 0
    assert pool.stats()[4] > 9000


def test_a_failed_start_gives_memory_back(small_pool: None) -> None:
    text = NEW.replace("(start $relocate)", "(func $fail unreachable) (start $fail)")
    with pytest.raises(wamr.Trap):
        Program(build(text))
    text = OLD + '(func (export "__post_instantiate") unreachable)'
    with pytest.raises(wamr.Trap):
        Program(build(text))
    assert pool.stats()[1] == 0


def test_a_start_function_that_traps_gives_memory_back(small_pool: None) -> None:
    table = wamr.Table("funcref", 1)
    text = """(import "e" "t" (table 1 funcref)) (memory 1000 (pagesize 1))
      (elem (i32.const 0) $load)
      (func $load (result i32) (i32.load (i32.const 0)))
      (func $start (unreachable)) (start $start)"""
    module = wamr.Module(build(text))
    with pytest.raises(wamr.Trap, match="^unreachable"):
        wamr.Instance(module, {"e": {"t": table}})
    assert pool.stats()[1] == 0
    # What it left in somebody's table finds no memory.
    with pytest.raises(wamr.Trap, match="^out of bounds memory access"):
        table[0]()


def test_memory_of_the_caller_stays(small_pool: None) -> None:
    text = """(import "own" "memory" (memory 0)) (func (export "main"))"""
    memory = wamr.Memory(0)
    memory.buf = pool.take(1000)
    assert run(text, imports={"own": {"memory": memory}})[0] == 0
    assert pool.stats()[1] == 1008
    pool.give(memory.buf)
