"""One installation: receives an app's file, checks it, stores it and makes the app of it."""

from wamr.apps.packet import match, parameter
from wamr.apps.store import StoreError

_NAME_MAX = 126


def app_name(query):
    return (parameter(query, b"name") or b"")[:_NAME_MAX]


# A number of a query as WAMR reads it: nine characters at most, the digits they begin with; 0 for
# anything else.
def number(query, key):
    value = parameter(query, key)
    if value is None:
        return None
    n = 0
    for c in value[:9]:
        if not 48 <= c <= 57:
            break
        n = n * 10 + c - 48
    return n


class Install:
    """Gets the file piece by piece with write(); then finish(), which queues it for the manager,
    or discard().
    """

    def __init__(self, manager, request, streamed):
        config = manager.config
        self.manager = manager
        self.request = request
        query = request.url[max(match(request.url, b"/applet"), 0) :]
        self.type = (parameter(query, b"type") or b"wasm").decode()
        self.name = app_name(query)
        heap = number(query, b"heap")
        timers = number(query, b"timers")
        watchdog = number(query, b"wd")
        self.settings = {
            # Names are any bytes: kept as characters of the same numbers.
            "name": "".join([chr(c) for c in self.name]),
            "type": self.type,
            "heap": config.heap_default
            if heap is None
            else min(max(heap, config.heap_min), config.heap_max),
            "timers": config.timers_default if timers is None else min(timers, config.timers_max),
            "wd": max(watchdog or config.watchdog_default, config.watchdog_min),
        }
        self.error = None
        self.silent = False
        self.entry = None
        self._check = None
        self._head = b"" if not streamed and self.type == "wasm" else None
        if streamed and self.type == "wasm":
            from wamr.apps.sections import SectionCheck

            self._check = SectionCheck()
        # What is going to be refused is not written to flash; the file is received all the same.
        if self.type in config.types and not self.problem():
            self.entry = manager.store.create(self.type)

    # Why this app cannot be installed, in the order in which WAMR looks.
    def problem(self):
        manager = self.manager
        if len(manager.apps) >= manager.config.max_apps:
            return "Install Applet failed: exceed max app installations."
        if not self.name:
            return "Install WASM app failed: invalid app name."
        if manager.find(self.name):
            return "Install WASM app failed: app already installed."
        return None

    def write(self, view):
        if self.error:
            return
        error = None
        if self._head is not None and len(self._head) < 4:
            self._head += bytes(view[: 4 - len(self._head)])
        if self._check:
            error = self._check.feed(view)
        if not error and self.entry:
            try:
                self.entry.write(view)
            except StoreError as e:
                error = str(e)
        if error:
            # Answered at once; the rest of the frame is skipped.
            self.discard()
            self.error = error
            self.manager.fail(self.request.mid, "Install WASM app failed: " + error)

    def finish(self):
        if not self.error:
            self.manager.add_job(self)

    def discard(self):
        if self.entry:
            self.entry.remove()
            self.entry = None

    # The manager's turn. Answers by itself only if something is wrong.
    def run(self):
        """The new app; or None after an error was answered."""
        from wamr.wasm.errors import CompileError, LinkError, Trap

        manager = self.manager
        error = manager.type_problem(self.type)
        if error is None:
            error = self.problem()
        if error is None and self._head is not None and self._head != b"\0asm":
            error = "Install WASM app failed: invalid wasm package type."
        if error is None and not self.entry:
            # Refused when it began, and possible now: the file was not kept.
            error = "Install WASM app failed: try again."
        if error is not None:
            self.discard()
            if error:
                manager.fail(self.request.mid, error)
            return None
        app = None
        try:
            self.entry.close()
            app = manager.new_app(self.entry, self.settings)
            manager.make_ready(app)
            self.entry.commit(self.settings)
            return app
        except StoreError as e:
            error = str(e)
        except CompileError as e:
            error = "WASM module load failed: " + _loader_text(str(e))
        except (LinkError, Trap) as e:
            error = "WASM module instantiate failed: %s" % e
        except MemoryError:
            error = "allocate memory failed."
        except Exception as e:
            error = "%s %s" % (type(e).__name__, e)
        if app:
            app.unload()
        self.discard()
        manager.fail(self.request.mid, "Install WASM app failed: " + error)
        return None


# The one message of the loader whose exact words hosts are known to have seen.
def _loader_text(text):
    if text.startswith("function and code section have inconsistent lengths"):
        return "function and code section have inconsistent lengths or unexpected end"
    return text
