;; hello.c in the form that emscripten gave a C program built as a SIDE_MODULE in 2019. No toolchain makes this form any
;; more, programs built in it are still about; so it is written by hand here.
;;
;; What is peculiar to it: C names have an underscore in front, the memory and the table are imported, static data lies at
;; __memory_base, the stack grows upwards from behind the data, and somebody has to call __post_instantiate first.

(module
  ;; Memory size and alignment (as a power of two), table size and alignment, how many libraries are needed.
  (@custom "dylink" (before first) "\40\04\00\00\00")

  (type $text (func (param i32) (result i32)))
  (import "env" "memory" (memory 1))
  (import "env" "table" (table 0 funcref))
  (import "env" "__memory_base" (global $__memory_base i32))
  (import "env" "__table_base" (global $__table_base i32))
  (import "env" "abortStackOverflow" (func $abortStackOverflow (param i32)))
  (import "env" "_free" (func $_free (param i32)))
  (import "env" "_malloc" (func $_malloc (type $text)))
  (import "env" "_printf" (func $_printf (param i32 i32) (result i32)))
  (import "env" "_puts" (func $_puts (type $text)))
  (import "env" "_sprintf" (func $_sprintf (param i32 i32 i32) (result i32)))

  (global $STACKTOP (mut i32) (i32.const 0))
  (global $STACK_MAX (mut i32) (i32.const 0))

  (export "__post_instantiate" (func $__post_instantiate))
  (export "_main" (func $_main))
  (export "runPostSets" (func $runPostSets))

  (data (global.get $__memory_base)
    "buf ptr: %p\0a\00"               ;; 0
    "%d\00"                           ;; 13
    "buf: %s\0a\00"                   ;; 16
    "Hello world!\00"                 ;; 25
    "no memory for the buffer\00")    ;; 38

  (func $_main (result i32)
    (local $stack i32) (local $buf i32)
    ;; Three blocks of values for printf, 16 bytes each.
    (local.set $stack (global.get $STACKTOP))
    (global.set $STACKTOP (i32.add (global.get $STACKTOP) (i32.const 48)))
    (if (i32.ge_s (global.get $STACKTOP) (global.get $STACK_MAX))
      (then (call $abortStackOverflow (i32.const 48))))

    (drop (call $_puts (i32.add (global.get $__memory_base) (i32.const 25))))
    (local.set $buf (call $_malloc (i32.const 1024)))
    (if (i32.eqz (local.get $buf))
      (then
        (drop (call $_puts (i32.add (global.get $__memory_base) (i32.const 38))))
        (global.set $STACKTOP (local.get $stack))
        (return (i32.const 1))))

    (i32.store (local.get $stack) (local.get $buf))
    (drop (call $_printf (global.get $__memory_base) (local.get $stack)))
    (i32.store offset=16 (local.get $stack) (i32.const 1234))
    (drop (call $_sprintf
      (local.get $buf)
      (i32.add (global.get $__memory_base) (i32.const 13))
      (i32.add (local.get $stack) (i32.const 16))))
    (i32.store offset=32 (local.get $stack) (local.get $buf))
    (drop (call $_printf
      (i32.add (global.get $__memory_base) (i32.const 16))
      (i32.add (local.get $stack) (i32.const 32))))
    (call $_free (local.get $buf))
    (global.set $STACKTOP (local.get $stack))
    (i32.const 0))

  ;; Filled by the compiler when static data held addresses; this program has none.
  (func $runPostSets)

  (func $__post_instantiate
    (global.set $STACKTOP (i32.add (global.get $__memory_base) (i32.const 64)))
    (global.set $STACK_MAX (i32.add (global.get $STACKTOP) (i32.const 65536)))
    (call $runPostSets)))
