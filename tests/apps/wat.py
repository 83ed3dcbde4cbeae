"""Small apps for the tests, in text form."""

from __future__ import annotations

import functools

import wasmtime

# What a request handler needs: answers with status 69 and 4 bytes.
_ANSWER = """
(func $answer (param $b i32) (param $v i32)
  (i32.store (i32.const 1024) (i32.const 0x63004501))
  (i32.store (i32.const 1028) (i32.load offset=4 align=1 (local.get $b)))
  (i32.store (i32.const 1032) (i32.load offset=8 align=1 (local.get $b)))
  (i32.store (i32.const 1036) (i32.const 0x04000000))
  (i32.store (i32.const 1040) (local.get $v))
  (drop (call $wasm_response_send (i32.const 1024) (i32.const 20))))
"""
_IMPORTS = {
    "wasm_register_resource": "i",
    "wasm_response_send": "ii:i",
    "wasm_post_request": "ii",
    "wasm_sub_event": "i",
    "wasm_create_timer": "iii:i",
    "wasm_timer_destroy": "i",
    "wasm_timer_cancel": "i",
    "wasm_timer_restart": "ii",
    "wasm_get_sys_tick_ms": ":i",
    "wasm_sensor_open": "ii:i",
    "wasm_sensor_config": "iiii:i",
    "wasm_sensor_config_with_attr_container": "iii:i",
    "wasm_sensor_close": "i:i",
    "wasm_open_connection": "iii:i",
    "wasm_close_connection": "i",
    "wasm_send_on_connection": "iii:i",
    "wasm_config_connection": "iii:i",
    "gpio_open": "ii:i",
    "gpio_read": "i:i",
    "gpio_write": "ii:i",
    "gpio_close": "i",
    "adc_open": "i:i",
    "adc_read": "i:i",
    "pwm_open": "iii:i",
    "pwm_set": "iii:i",
    "i2c_open": "ii:i",
    "i2c_transfer": "iiiiii:i",
    "spi_open": "iii:i",
    "spi_transfer": "iiii:i",
    "display_width": ":i",
    "display_fill": "i",
    "display_text": "iiii",
    "display_show": "",
    "kv_set": "iii:i",
    "kv_get": "iii:i",
    "kv_remove": "i:i",
    "log_write": "ii",
    "malloc": "i:i",
    "free": "i",
    "puts": "i:i",
    "exit": "i",
}


def _import(name: str) -> str:
    params, _, results = _IMPORTS[name].partition(":")
    text = f'(import "env" "{name}" (func ${name}'
    if params:
        text += " (param" + " i32" * len(params) + ")"
    if results:
        text += " (result i32)"
    return text + "))"


@functools.cache
def build(source: str) -> bytes:
    return bytes(wasmtime.wat2wasm(source))


def text(data: bytes) -> str:
    """Bytes for a data segment."""
    return "".join(f"\\{b:02x}" for b in data)


def app(body: str, data: str = "") -> bytes:
    """An app of these functions; what they call is imported, and what is named on_… exported.

    data: what is in memory from address 16 on; `/url` with its NUL is at 0, answers at 1024. All
    they need is 2048 bytes.
    """
    if "$answer" in body:
        body += _ANSWER
    imports = "".join(_import(n) for n in _IMPORTS if f"${n}" in body.replace(")", " ").split())
    exports = ""
    for name in ("init", "destroy", "request", "response", "timer_callback", "sensor_event"):
        if f"(func $on_{name}" in body:
            exports += f'(export "on_{name}" (func $on_{name}))'
    if "(func $on_connection_data" in body:
        exports += '(export "on_connection_data" (func $on_connection_data))'
    return build(
        f'(module {imports} (memory (export "memory") 1)'
        f' (global (export "__heap_base") i32 (i32.const 2048)) (data (i32.const 0) "/url\\00")'
        f' (data (i32.const 16) "{data}") {body} {exports})'
    )


REGISTER = "(func $on_init (call $wasm_register_resource (i32.const 0)))"

# Answers each request to /url with the number of requests so far.
COUNTER = app(
    "(global $n (mut i32) (i32.const 0))"
    + REGISTER
    + """(func $on_request (param $b i32) (param i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (call $answer (local.get $b) (global.get $n)))"""
)

# Computes for ever from the first request on.
LOOPING = app(REGISTER + "(func $on_request (param i32 i32) (loop $l (br $l)))")

# Does so in a loop that is fast, and then for ever in one that calls a function of the board.
CALLING = app(
    REGISTER
    + """(func $on_request (param i32 i32) (local $i i32)
      (loop $fast (br_if $fast (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3000000))))
      (loop $l (drop (call $wasm_get_sys_tick_ms)) (br $l)))"""
)

# A timer of 100 ms from the start; a request is answered with the number of its expiries.
TICKING = app(
    """(global $n (mut i32) (i32.const 0))
    (func $on_init (call $wasm_register_resource (i32.const 16))
      (drop (call $wasm_create_timer (i32.const 100) (i32.const 1) (i32.const 1))))
    (func $on_timer_callback (param i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1))))
    (func $on_request (param $b i32) (param i32) (call $answer (local.get $b) (global.get $n)))""",
    "/ticks\\00",
)

# The same handler traps.
TRAPPING = app(REGISTER + "(func $on_request (param i32 i32) unreachable)")
