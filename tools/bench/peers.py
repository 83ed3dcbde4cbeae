"""Figures of other engines on the same kernels, measured once elsewhere, to compare with.

Instructions per call of run(n), from n = 1 to n = 3, halved; QEMU -icount, Cortex-M4F; gcc 12 -O2,
WAMR's ahead-of-time compiler (LLVM 14), wasm3 -O3 and WAMR's fast interpreter -O3. `OPS` are
executed wasm opcodes.
"""

OPS = {
    "fib": 25141,
    "crc32": 438291,
    "sha256": 564107,
    "matmul_i32": 197448,
    "matmul_f32": 197471,
    "sieve": 348059,
    "quicksort": 341662,
    "mandel": 102927,
    "i64mix": 31511,
    "bytes": 134032,
    "icall": 209040,
    "brtable": 222045,
}

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
INTEGER = (
    "fib",
    "crc32",
    "sha256",
    "matmul_i32",
    "sieve",
    "quicksort",
    "bytes",
    "icall",
    "brtable",
)
