"""The compiler: machine code from validated wasm, in one pass, on the device itself.

assembler.py   labels and the code buffer; what every target shares
x64.py, ...    one file of encodings per instruction set
scan.py        the walk over a function's bytes: immediates, and how much each local is used
values.py      where a function's values are: registers, cells, constants
function.py    the single pass over one function
program.py     a whole module: stubs, functions, fixups
"""
