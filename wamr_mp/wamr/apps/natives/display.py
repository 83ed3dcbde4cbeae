"""A small display: the framebuf.FrameBuffer that the setting `display` has, with `width`, `height`
and show().

Without a display the size is 0 x 0, and drawing does nothing.
"""

from wamr.apps.packet import to_text


def display_width(app):
    return getattr(app.manager.config.display, "width", 0)


def display_height(app):
    return getattr(app.manager.config.display, "height", 0)


def display_fill(app, color):
    display = app.manager.config.display
    if display:
        display.fill(color)


def display_pixel(app, x, y, color):
    display = app.manager.config.display
    if display:
        display.pixel(x, y, color)


def display_line(app, x, y, x2, y2, color):
    display = app.manager.config.display
    if display:
        display.line(x, y, x2, y2, color)


def display_rect(app, x, y, width, height, color, filled):
    display = app.manager.config.display
    if display:
        (display.fill_rect if filled else display.rect)(x, y, width, height, color)


def display_text(app, text, x, y, color):
    display = app.manager.config.display
    if display:
        display.text(to_text(app.instance.memory.read_cstr(text)), x, y, color)


def display_show(app):
    display = app.manager.config.display
    if display:
        display.show()
