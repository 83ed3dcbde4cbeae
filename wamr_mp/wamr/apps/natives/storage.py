"""Key-value storage: small values that an app finds again after a restart; each app sees only its
own.
"""

from wamr.apps.store import StoreError

_MAX_VALUE = 1024
_MAX_KEYS = 32


# The values are part of the app's settings file, so that they are written safely and go with the
# app.
def _values(app):
    return app.settings.get("values") or {}


def _commit(app, values):
    settings = dict(app.settings)
    settings["values"] = values
    try:
        app.entry.commit(settings)
    except StoreError as e:
        app.manager.log(str(e))
        return -1
    app.settings = settings
    return 0


def _characters(data):
    return "".join([chr(c) for c in data])


def kv_set(app, key, ptr, size):
    """0, or -1: more than 32 keys or 1024 bytes, or flash is full."""
    memory = app.instance.memory
    key = _characters(memory.read_cstr(key))
    data = _characters(memory.read(ptr, size))
    values = dict(_values(app))
    if size > _MAX_VALUE or (key not in values and len(values) >= _MAX_KEYS):
        return -1
    if values.get(key) == data:
        return 0
    values[key] = data
    return _commit(app, values)


def kv_get(app, key, ptr, size):
    """The value's size, of which as much as fits was copied; -1: no such key."""
    memory = app.instance.memory
    value = _values(app).get(_characters(memory.read_cstr(key)))
    if value is None:
        return -1
    memory.write(ptr, bytes([ord(c) for c in value[:size]]))
    return len(value)


def kv_remove(app, key):
    """0, or -1: no such key."""
    values = dict(_values(app))
    if values.pop(_characters(app.instance.memory.read_cstr(key)), None) is None:
        return -1
    return _commit(app, values)
