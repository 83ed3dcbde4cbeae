"""Connections, as WAMR's apps open them: TCP, UDP and UART."""


async def wasm_open_connection(app, name, ptr, size):
    memory = app.instance.memory
    if not app.connections:
        from wamr.apps.connections import Connections

        app.connections = Connections(app)
    return await app.connections.open(memory.read_cstr(name), memory.read(ptr, size))


def wasm_close_connection(app, number):
    if app.connections:
        app.connections.close_one(number)


def wasm_send_on_connection(app, number, ptr, size):
    if not app.connections:
        return -1
    return app.connections.send(number, app.instance.memory.read(ptr, size))


def wasm_config_connection(app, number, ptr, size):
    if not app.connections:
        return 0
    return int(app.connections.configure(number, app.instance.memory.read(ptr, size)))
