"""Requests, responses, events and timers: the base library of WAMR's app framework."""

from wamr.apps import clock
from wamr.apps.packet import EVENT, unpack_request


def wasm_register_resource(app, url):
    app.manager.register(app.instance.memory.read_cstr(url), app)


def wasm_response_send(app, ptr, size):
    return int(app.manager.send_response(app.instance.memory.read(ptr, size)))


def wasm_post_request(app, ptr, size):
    request = unpack_request(app.instance.memory.read(ptr, size))
    if request:
        request.sender = app.id
        if request.action == EVENT:
            app.manager.publish(request)
        else:
            app.manager.dispatch(request)


def wasm_sub_event(app, url):
    app.manager.subscribe(app.instance.memory.read_cstr(url), app)


def wasm_create_timer(app, interval, periodic, start):
    return app.timers.create(interval, periodic != 0, start != 0)


def wasm_timer_destroy(app, number):
    app.timers.destroy(number)


def wasm_timer_cancel(app, number):
    app.timers.cancel(number)


def wasm_timer_restart(app, number, interval):
    app.timers.restart(number, interval)


def wasm_get_sys_tick_ms(app):
    return clock.ticks_ms() & 0xFFFFFFFF
