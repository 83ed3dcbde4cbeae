"""f32 and f64 instructions: picks the fastest exact implementation that the running host allows.

The host is probed with functions at run time, because the compiler that made this file's bytecode
may have run on a machine with other floats.
"""

from wamr.engine import float_double, softfloat

compare = softfloat.compare
to_float = float_double.to_float
from_float = float_double.from_float

# Doubles: 1 + (2**-53 + 2**-64) rounds up, unless through a wider format (x87) or a narrower one;
# and subnormals are not flushed to zero.
if (
    float_double.binary(0, 0x3FF0000000000000, 0x3CA0020000000000, 64) == 0x3FF0000000000001
    and float_double.binary(0, 1, 1, 64) == 2
):
    binary = float_double.binary
    unary = float_double.unary

# Singles: 1 + (2**-24 + 2**-47) rounds up, unless the float object has only 30 bits.
elif (
    float_double.binary(0, 0x3F800000, 0x33800001, 32) == 0x3F800001
    and float_double.binary(0, 1, 1, 32) == 2
):

    def binary(k, a, b, bits):
        return (float_double if bits == 32 else softfloat).binary(k, a, b, bits)

    def unary(k, a, bits):
        return (float_double if bits == 32 else softfloat).unary(k, a, bits)

else:
    binary = softfloat.binary
    unary = softfloat.unary
