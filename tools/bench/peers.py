"""Figures of other engines on the same kernels, measured once elsewhere, to compare with.

Instructions per call of run(n), from n = 1 to n = 3, halved; QEMU -icount on the boards, valgrind
on x64. gcc 12 -O2 (x64: without auto-vectorisation), WAMR's ahead-of-time compiler (LLVM 14; x64:
with software bounds checks), wasm3 -O3, WAMR's fast interpreter -O3; on x64 wasmtime too.
"""

ENGINES = ("WAMR AOT", "wasm3", "WAMR fast")
# gcc -O2 instructions, then the peers' ratios to it.
CORTEX_M4F = {
    "fib": (14400, 2.41, 20.5, 21.8),
    "crc32": (184340, 0.89, 16.4, 13.6),
    "sha256": (201340, 1.54, 22.2, 16.7),
    "matmul_i32": (87200, 0.91, 22.1, 18.5),
    "matmul_f32": (114860, 1.31, 35.5, 14.8),
    "sieve": (148460, 4.03, 17.7, 15.7),
    "quicksort": (126100, 1.85, 21.2, 16.4),
    "mandel": (1609300, 1.13, 1.47, 1.50),
    "i64mix": (30000, 1.31, 9.42, 10.2),
    "bytes": (41240, 1.89, 27.7, 23.4),
    "icall": (93020, 3.95, 29.0, 33.9),
    "brtable": (68040, 2.44, 21.7, 18.4),
}
CORTEX_M3 = {
    "fib": (14400, 2.36, 20.9, 21.4),
    "crc32": (184340, 0.89, 16.5, 13.6),
    "sha256": (201200, 1.46, 22.4, 16.6),
    "matmul_i32": (87200, 0.95, 22.7, 18.2),
    "matmul_f32": (1228500, 1.18, 4.00, 2.17),
    "sieve": (148480, 4.09, 18.3, 15.6),
    "quicksort": (126100, 1.85, 21.7, 16.1),
    "mandel": (1609300, 1.13, 1.49, 1.49),
    "i64mix": (30000, 1.07, 9.32, 10.2),
    "bytes": (41300, 1.95, 28.7, 22.9),
    "icall": (91000, 4.09, 30.8, 33.8),
    "brtable": (68020, 2.47, 22.3, 18.0),
}

X64_ENGINES = ("wasmtime", *ENGINES)
X64 = {
    "fib": (2.14, 2.47, 14.5, 21.4),
    "crc32": (0.76, 0.69, 6.37, 7.17),
    "sha256": (1.31, 1.29, 10.1, 9.20),
    "matmul_i32": (1.10, 0.79, 11.9, 9.84),
    "matmul_f32": (1.07, 1.05, 11.9, 9.84),
    "sieve": (1.52, 1.79, 13.3, 13.6),
    "quicksort": (1.28, 1.51, 13.1, 12.1),
    "mandel": (0.83, 0.93, 7.33, 8.28),
    "i64mix": (0.97, 0.95, 7.13, 8.13),
    "bytes": (1.43, 1.66, 14.4, 13.2),
    "icall": (2.56, 3.39, 21.0, 27.6),
    "brtable": (1.31, 1.55, 10.4, 8.97),
}
# Geometric means of twelve kernels and CoreMark, x64: browsers' single-pass compilers with
# explicit bounds checks.
X64_SINGLE_PASS = {"liftoff": 3.31, "winch": 3.32}

# Instructions to load, on the Cortex-M3: wasm3, WAMR's fast interpreter.
LOAD_M3 = {
    "fib": (55240, 84280),
    "crc32": (554440, 507560),
    "sha256": (692200, 657920),
    "matmul_i32": (280320, 304000),
    "matmul_f32": (471120, 410680),
    "sieve": (78320, 98640),
    "quicksort": (86760, 168600),
    "mandel": (113120, 146040),
    "i64mix": (85680, 109560),
    "bytes": (536520, 516400),
    "icall": (91800, 326960),
    "brtable": (166840, 227960),
}

# Python on the Cortex-M3, ratio to gcc -O2: hand-written viper, native, plain.
PYTHON_M3 = {
    "fib": (31.2, 53.9, 87.8),
    "crc32": (5.62, 252, 310),
    "sieve": (5.20, 54.4, 92.1),
}

# Thumb-2 bytes for bytes of wasm code: a throw-away single-pass compiler.
PROTOTYPE_SIZE = {
    "fib": 168 / 106,
    "crc32": 636 / 407,
    "sha256": 1312 / 900,
    "sieve": 228 / 173,
    "quicksort": 584 / 393,
    "icall": 1344 / 671,
    "brtable": 892 / 565,
}
