"""The live view of a simulated board in a terminal: apps, memory, pins, sensors, display,
messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from wamr_sim.simulator import Simulator

_PERIOD = 0.25
_MESSAGES = 50  # columns that messages need at least
_STYLES = {
    "host>": "cyan",
    "host<": "green",
    "app": "magenta",
    "event": "bold magenta",
    "print": "bold",
    "pin": "yellow",
    "display": "dim",
    "sensor": "dim",
}


async def show(simulator: Simulator, address: str, done: Callable[[], bool]) -> None:
    """Draw the board four times a second until done()."""
    view = _View(simulator, address)
    with Live(view.draw(), screen=True, auto_refresh=False, console=Console()) as live:
        while not done():
            await asyncio.sleep(_PERIOD)
            live.update(view.draw(), refresh=True)


class _View:
    def __init__(self, simulator: Simulator, address: str) -> None:
        self._simulator = simulator
        self._address = address
        # Counting the heap takes a while: it is done when there is something new, and not always.
        self._memory = simulator.memory()
        self._seen = 0
        self._ticks = 0

    def draw(self) -> Layout:
        simulator = self._simulator
        self._ticks += 1
        if self._ticks % 8 == 0:
            self._memory = simulator.memory()
        display = simulator.display
        layout = Layout()
        upper = Layout(name="upper", size=8 + len(simulator.manager.apps))
        layout.split_column(upper, Layout(self._messages(), name="messages"))
        outside = self._outside()
        if outside:
            panel = Panel(Group(*outside), title="pins and sensors", title_align="left")
            widest = max(line.cell_len for line in outside)
            upper.split_row(self._apps(), Layout(panel, size=min(max(widest, 18), 40) + 4))
        else:
            upper.update(self._apps())
        width = (display.width + 1) // 2 + 4
        if display.shows and width + _MESSAGES <= Console().size.width:
            picture = Panel(Text(display.as_braille()), title="display", title_align="left")
            lower = Layout(name="lower")
            lower.split_row(Layout(self._messages()), Layout(picture, size=width))
            layout.split_column(upper, lower)
        return layout

    def _apps(self) -> Panel:
        simulator = self._simulator
        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in ("app", "state", "heap", "peak", "memory", "queue", "lost", "messages"):
            table.add_column(head, justify="left" if head in ("app", "state") else "right")
        for app in reversed(simulator.manager.apps):
            figures = app.figures()
            name = app.settings["name"]
            good = app.state in ("running", "ended")
            table.add_row(
                name,
                Text(app.state, style="green" if good else "red"),
                f"{figures.get('heapused', 0):,}/{app.settings['heap']:,}",
                f"{figures.get('heappeak', 0):,}",
                f"{figures.get('memory', 0):,}",
                str(figures["queue"]),
                str(figures["lost"]),
                str(simulator.messages.get(name, 0)),
            )
        used, free = self._memory
        board = simulator.board
        if board:
            text = f"heap {used:,} of {board.free_heap:,} bytes"
            bar = ProgressBar(total=board.free_heap, completed=used)
        else:
            text, bar = f"heap {used:,} bytes", Text()
        title = f"{board.name if board else 'board'} at {self._address}"
        return Panel(Group(Text(text), bar, Text(), table), title=title, title_align="left")

    def _outside(self) -> list[Text]:
        hardware = self._simulator.hardware
        lines = [
            Text.assemble((f"{name} ", "bold"), "●" if pin.level else "○")
            for name, pin in hardware.pins.items()
        ]
        lines += [
            Text(f"{name} {frequency} Hz {duty * 100 // 65535} %")
            for name, (frequency, duty) in hardware.pwm.items()
        ]
        for name, sensor in self._simulator.sensors.items():
            values = "  ".join(f"{key} {value:g}" for key, value in sensor.last.items())
            lines.append(Text.assemble((f"{name} ", "bold"), values or "not read yet"))
        return lines

    def _messages(self) -> Panel:
        room = Console().size.height
        lines = []
        for entry in list(self._simulator.trace.entries)[-room:]:
            line = Text(f"{entry.ms / 1000:9.3f} {entry.kind:8}", style="dim", no_wrap=True)
            line.append(entry.text, style=_STYLES.get(entry.kind, ""))
            lines.append(line)
        # The newest on top: what does not fit below is what is cut.
        return Panel(Group(*reversed(lines)), title="messages, newest first", title_align="left")
