"""Log lines with a level: 0 error, 1 warning, 2 information, 3 detail."""

from wamr.apps.packet import to_text

_LEVELS = ("error", "warning", "info", "detail")


def log_write(app, level, text):
    level = _LEVELS[min(max(level, 0), 3)]
    text = to_text(app.instance.memory.read_cstr(text))
    app.manager.log("%s %s: %s" % (app.settings["name"], level, text))
