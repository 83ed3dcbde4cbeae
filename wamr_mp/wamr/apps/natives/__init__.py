"""What wasm apps can import beside libc: the tables of all functions, and who may use them.

The functions are in files that are loaded when an app imports one of them. Each is fn(app, …) with
the arguments that its signature says (see wamr.native()); the app's memory is app.instance.memory.
Add your own with add().
"""

from wamr.host import is_coroutine
from wamr.wasm.errors import Exit, Trap
from wamr.wasm.externs import Native

# For each file: its name, the permission it needs, its functions as name and signature; after "="
# the function that is meant.
_TABLES = (
    "base",
    "",
    " wasm_register_resource($) wasm_response_send(*~)i wasm_post_request(*~) wasm_sub_event($)"
    " wasm_create_timer(iii)i wasm_timer_destroy(i) wasm_timer_destory(i)=wasm_timer_destroy"
    " wasm_timer_cancel(i) wasm_timer_restart(ii) wasm_get_sys_tick_ms()u ",
    "sensor",
    "sensor",
    " wasm_sensor_open($i)i wasm_sensor_config(iiii)i"
    " wasm_sensor_config_with_attr_container(i*~)i wasm_sensor_close(i)i ",
    "connection",
    "connection",
    " wasm_open_connection($*~)i wasm_close_connection(i) wasm_send_on_connection(i*~)i"
    " wasm_config_connection(i*~)i ",
    "gpio",
    "gpio",
    " gpio_open($i)i gpio_read(i)i gpio_write(ii)i gpio_close(i) ",
    "analog",
    "analog",
    " adc_open($)i adc_read(i)i adc_close(i)=close pwm_open($ii)i pwm_set(iii)i"
    " pwm_close(i)=close ",
    "bus",
    "bus",
    " i2c_open($i)i i2c_read(ii*~)i i2c_write(ii*~)i i2c_transfer(ii*~*~)i i2c_close(i)=close"
    " spi_open($ii)i spi_transfer(i*~*)i spi_close(i)=close ",
    "display",
    "display",
    " display_width()i display_height()i display_fill(i) display_pixel(iii)"
    " display_line(iiiii) display_rect(iiiiii) display_text($iii) display_show() ",
    "storage",
    "storage",
    " kv_set($*~)i kv_get($*~)i kv_remove($)i ",
    "log",
    "",
    " log_write(i$) ",
)

_added = {}


# Whether the app manager gives its apps a function of this name.
def has(name):
    return name in _added or any([" %s(" % name in table for table in _TABLES])


def add(name, signature, fn, permission=""):
    """Let apps import fn(app, …) as `name` from "env".

    signature: see wamr.native(). permission: the word that the setting `permissions` must have for
    an app that imports it. fn may be an `async def`. What it raises is a trap to the app.
    """
    _added[name] = (signature, fn, permission)


class AppNative(Native):
    """A native that gets the app instead of the instance."""

    def __init__(self, name, signature, fn, app):
        Native.__init__(self, signature, fn, None, app)
        self.name = name

    def call(self, instance, args):
        # Also the module's start function, which runs before the app knows its instance, may call.
        self.owner.instance = instance
        args = self.checked(instance, args)
        try:
            result = self.fn(self.owner, *args)
            return result if is_coroutine(result) else self.results(result)
        except (Trap, Exit, MemoryError):
            raise
        except Exception as e:
            # A driver's failure is the app's, not the manager's.
            raise Trap("%s failed: %s %s" % (self.name, type(e).__name__, e))


# A function that can be imported, but not called.
def _trap(text, type):
    def fail(*args):
        raise Trap(text)

    return Native(None, fail, type)


def imports(app, module):
    """The namespaces for Program: those of the built-in libraries are put behind them."""
    spaces = {"env": Namespace(app, "env")}
    for where, _, _, _ in module.import_list:
        if (
            where not in spaces
            and where[:5] != "wasi_"
            and where[:4] != "GOT."
            and where != "global"
        ):
            spaces[where] = Namespace(app, where)
    return spaces


class Namespace:
    """What an app finds under one module name: our functions, and a trap in place of what nobody
    has.
    """

    def __init__(self, app, where):
        self.app = app
        self.where = where

    def resolve(self, name, kind, type, module):
        if kind != "func":
            return None
        found = None
        if self.where == "env":
            found = self._own(name, type)
            if not found and name[:1] == "_":
                found = self._own(name[1:], type)
            if not found:
                from wamr.libc import Libc

                libc = Libc().resolve(name, kind, type, module)
                if libc and libc.type == type:
                    return None
        if found and found.type == type:
            return found
        # As WAMR does: the app can be installed, and traps when it gets there.
        self.app.manager.log(
            "warning: app %s imports the unknown function (%s, %s)"
            % (self.app.settings["name"], self.where, name)
        )
        return _trap("failed to call unlinked import function (%s, %s)" % (self.where, name), type)

    def _own(self, name, type):
        app = self.app
        if name in _added:
            signature, fn, permission = _added[name]
        else:
            from wamr.libc.functions import look_up

            i = -1
            found = None
            while not found:
                i += 3
                if i >= len(_TABLES):
                    return None
                found = look_up(_TABLES[i], name)
            signature, fn, _ = found
            permission = _TABLES[i - 1]
        if permission and not _allowed(app, permission):
            return _trap(
                "permission denied: %s needs '%s' in the permissions of app %s"
                % (name, permission, app.settings["name"]),
                type,
            )
        if isinstance(fn, str):
            fn = getattr(__import__(__name__ + "." + _TABLES[i - 2], None, None, (fn,)), fn)
        return AppNative(name, signature, fn, app)


def _allowed(app, permission):
    permissions = app.manager.config.permissions
    if permissions is None:
        return True
    name = app.settings["name"]
    words = permissions.get(name, permissions.get("*", ""))
    return permission in words.split()
