"""The opcode table: what each instruction takes and gives, one line per instruction.

A type is a letter: i i32, I i64, f f32, F f64. Specification: 5.4 Instructions, 7.10 Index of
Instructions.
"""

TYPE_CODES = {105: 0x7F, 73: 0x7E, 102: 0x7D, 70: 0x7C}

# Loads, from 0x28: type of the result, log2 of the width in bytes.
LOADS = (
    b"i2"  # 28 i32.load
    b"I3"  # 29 i64.load
    b"f2"  # 2A f32.load
    b"F3"  # 2B f64.load
    b"i0"  # 2C i32.load8_s
    b"i0"  # 2D i32.load8_u
    b"i1"  # 2E i32.load16_s
    b"i1"  # 2F i32.load16_u
    b"I0"  # 30 i64.load8_s
    b"I0"  # 31 i64.load8_u
    b"I1"  # 32 i64.load16_s
    b"I1"  # 33 i64.load16_u
    b"I2"  # 34 i64.load32_s
    b"I2"  # 35 i64.load32_u
)

# Stores, from 0x36: type of the operand, log2 of the width in bytes.
STORES = (
    b"i2"  # 36 i32.store
    b"I3"  # 37 i64.store
    b"f2"  # 38 f32.store
    b"F3"  # 39 f64.store
    b"i0"  # 3A i32.store8
    b"i1"  # 3B i32.store16
    b"I0"  # 3C i64.store8
    b"I1"  # 3D i64.store16
    b"I2"  # 3E i64.store32
)

# Numeric instructions, from 0x45: first operand, second operand or blank, result.
NUMERIC = (
    b"i i"  # 45 i32.eqz
    b"iii"  # 46 i32.eq
    b"iii"  # 47 i32.ne
    b"iii"  # 48 i32.lt_s
    b"iii"  # 49 i32.lt_u
    b"iii"  # 4A i32.gt_s
    b"iii"  # 4B i32.gt_u
    b"iii"  # 4C i32.le_s
    b"iii"  # 4D i32.le_u
    b"iii"  # 4E i32.ge_s
    b"iii"  # 4F i32.ge_u
    b"I i"  # 50 i64.eqz
    b"IIi"  # 51 i64.eq
    b"IIi"  # 52 i64.ne
    b"IIi"  # 53 i64.lt_s
    b"IIi"  # 54 i64.lt_u
    b"IIi"  # 55 i64.gt_s
    b"IIi"  # 56 i64.gt_u
    b"IIi"  # 57 i64.le_s
    b"IIi"  # 58 i64.le_u
    b"IIi"  # 59 i64.ge_s
    b"IIi"  # 5A i64.ge_u
    b"ffi"  # 5B f32.eq
    b"ffi"  # 5C f32.ne
    b"ffi"  # 5D f32.lt
    b"ffi"  # 5E f32.gt
    b"ffi"  # 5F f32.le
    b"ffi"  # 60 f32.ge
    b"FFi"  # 61 f64.eq
    b"FFi"  # 62 f64.ne
    b"FFi"  # 63 f64.lt
    b"FFi"  # 64 f64.gt
    b"FFi"  # 65 f64.le
    b"FFi"  # 66 f64.ge
    b"i i"  # 67 i32.clz
    b"i i"  # 68 i32.ctz
    b"i i"  # 69 i32.popcnt
    b"iii"  # 6A i32.add
    b"iii"  # 6B i32.sub
    b"iii"  # 6C i32.mul
    b"iii"  # 6D i32.div_s
    b"iii"  # 6E i32.div_u
    b"iii"  # 6F i32.rem_s
    b"iii"  # 70 i32.rem_u
    b"iii"  # 71 i32.and
    b"iii"  # 72 i32.or
    b"iii"  # 73 i32.xor
    b"iii"  # 74 i32.shl
    b"iii"  # 75 i32.shr_s
    b"iii"  # 76 i32.shr_u
    b"iii"  # 77 i32.rotl
    b"iii"  # 78 i32.rotr
    b"I I"  # 79 i64.clz
    b"I I"  # 7A i64.ctz
    b"I I"  # 7B i64.popcnt
    b"III"  # 7C i64.add
    b"III"  # 7D i64.sub
    b"III"  # 7E i64.mul
    b"III"  # 7F i64.div_s
    b"III"  # 80 i64.div_u
    b"III"  # 81 i64.rem_s
    b"III"  # 82 i64.rem_u
    b"III"  # 83 i64.and
    b"III"  # 84 i64.or
    b"III"  # 85 i64.xor
    b"III"  # 86 i64.shl
    b"III"  # 87 i64.shr_s
    b"III"  # 88 i64.shr_u
    b"III"  # 89 i64.rotl
    b"III"  # 8A i64.rotr
    b"f f"  # 8B f32.abs
    b"f f"  # 8C f32.neg
    b"f f"  # 8D f32.ceil
    b"f f"  # 8E f32.floor
    b"f f"  # 8F f32.trunc
    b"f f"  # 90 f32.nearest
    b"f f"  # 91 f32.sqrt
    b"fff"  # 92 f32.add
    b"fff"  # 93 f32.sub
    b"fff"  # 94 f32.mul
    b"fff"  # 95 f32.div
    b"fff"  # 96 f32.min
    b"fff"  # 97 f32.max
    b"fff"  # 98 f32.copysign
    b"F F"  # 99 f64.abs
    b"F F"  # 9A f64.neg
    b"F F"  # 9B f64.ceil
    b"F F"  # 9C f64.floor
    b"F F"  # 9D f64.trunc
    b"F F"  # 9E f64.nearest
    b"F F"  # 9F f64.sqrt
    b"FFF"  # A0 f64.add
    b"FFF"  # A1 f64.sub
    b"FFF"  # A2 f64.mul
    b"FFF"  # A3 f64.div
    b"FFF"  # A4 f64.min
    b"FFF"  # A5 f64.max
    b"FFF"  # A6 f64.copysign
    b"I i"  # A7 i32.wrap_i64
    b"f i"  # A8 i32.trunc_f32_s
    b"f i"  # A9 i32.trunc_f32_u
    b"F i"  # AA i32.trunc_f64_s
    b"F i"  # AB i32.trunc_f64_u
    b"i I"  # AC i64.extend_i32_s
    b"i I"  # AD i64.extend_i32_u
    b"f I"  # AE i64.trunc_f32_s
    b"f I"  # AF i64.trunc_f32_u
    b"F I"  # B0 i64.trunc_f64_s
    b"F I"  # B1 i64.trunc_f64_u
    b"i f"  # B2 f32.convert_i32_s
    b"i f"  # B3 f32.convert_i32_u
    b"I f"  # B4 f32.convert_i64_s
    b"I f"  # B5 f32.convert_i64_u
    b"F f"  # B6 f32.demote_f64
    b"i F"  # B7 f64.convert_i32_s
    b"i F"  # B8 f64.convert_i32_u
    b"I F"  # B9 f64.convert_i64_s
    b"I F"  # BA f64.convert_i64_u
    b"f F"  # BB f64.promote_f32
    b"f i"  # BC i32.reinterpret_f32
    b"F I"  # BD i64.reinterpret_f64
    b"i f"  # BE f32.reinterpret_i32
    b"I F"  # BF f64.reinterpret_i64
    b"i i"  # C0 i32.extend8_s
    b"i i"  # C1 i32.extend16_s
    b"I I"  # C2 i64.extend8_s
    b"I I"  # C3 i64.extend16_s
    b"I I"  # C4 i64.extend32_s
)

# Saturating truncations, 0xFC 0 to 7: operand, result.
TRUNC_SAT = (
    b"fi"  # 00 i32.trunc_sat_f32_s
    b"fi"  # 01 i32.trunc_sat_f32_u
    b"Fi"  # 02 i32.trunc_sat_f64_s
    b"Fi"  # 03 i32.trunc_sat_f64_u
    b"fI"  # 04 i64.trunc_sat_f32_s
    b"fI"  # 05 i64.trunc_sat_f32_u
    b"FI"  # 06 i64.trunc_sat_f64_s
    b"FI"  # 07 i64.trunc_sat_f64_u
)
