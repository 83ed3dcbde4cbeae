"""`wamr inspect`: what is in a module, what it asks for, and whether it will fit on a board."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import wamr
from wamr.apps import natives
from wamr.engine import portable
from wamr.program import Program

from wamr_cli import dry, ram
from wamr_cli.boards import BOARDS, Board
from wamr_cli.compile import code_size
from wamr_cli.errors import LOAD, OK, complain
from wamr_cli.features import features
from wamr_cli.load import check
from wamr_cli.options import Size
from wamr_cli.sections import sections

Report = dict[str, Any]

# What the portable engine loads for modules that need it, by the bit of Module.needs.
_ON_DEMAND = {1: "numerics", 2: "floats"}
# Bytes that running machine code takes beside it: its driver and context; measured.
_DRIVER = 2700


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Machine-readable: one JSON object.")
@click.option("--stack", type=Size(), default=8192, show_default=True, help="As in `wamr run`.")
@click.option("--heap", type=Size(), help="As in `wamr run`.")
@click.argument("file", type=click.Path())
def inspect(file: str, as_json: bool, stack: int, heap: int | None) -> int:
    """Show what is in FILE and whether it will run on a board. Nothing of it is run.

    The exit code is 0, or 3 if the runtime cannot load FILE.
    """
    check(file)
    report = examine(file, stack, heap)
    click.echo(json.dumps(report, indent=2) if as_json else as_text(report))
    for error in report["errors"]:
        complain(f"{file}: {error}")
    return LOAD if report["errors"] else OK


def examine(file: str, stack: int = 8192, heap: int | None = None) -> Report:
    """Everything that is known about a module, as plain data."""
    data = Path(file).read_bytes()
    report: Report = {"file": file, "size": len(data), "errors": []}
    parts = list(sections(data))
    report["sections"] = [part._asdict() for part in parts]
    try:
        module = wamr.Module(data)
    except wamr.CompileError as error:
        report["errors"].append(f"the module cannot be used: {error}")
        return report
    linked = dry.link(file, stack, heap)
    report["imports"] = [
        {
            "module": m,
            "name": n,
            "kind": k,
            "type": t,
            "provided": (m, n, k, t) not in linked.missing or m == "env" and natives.has(n),
        }
        for m, n, k, t in module.imports
    ]
    report["exports"] = [{"name": n, "kind": k, "type": t} for n, k, t in module.exports]
    report["functions"] = {
        "imported": module.n_imported_funcs,
        "defined": len(module.funcs) - module.n_imported_funcs,
        "code_bytes": sum(part.size for part in parts if part.name == "code" and part.id),
    }
    report["features"] = features(module, data, parts)
    if linked.program is None:
        report["errors"].append(f"the module cannot be instantiated: {linked.error}")
        return report
    report["memory"] = _memory(linked.program.instance)
    report["ram"] = _ram(linked.program, stack, module)
    return report


def _memory(instance: wamr.Instance) -> Report | None:
    """What the module declares, and what it is really given."""
    memory, module = instance.memory, instance.module
    if memory is None:
        return None
    low, high, page_size = module.memories[0]
    return {
        "declared_pages": low,
        "max_pages": high,
        "page_size": page_size,
        "allocated": len(memory.buf),
        "heap": memory.heap.end - memory.heap.start if memory.heap else 0,
        "grows": bool(module.asks_memory_size),
        "heap_base": module.find_export("__heap_base") is not None,
    }


def _ram(program: Program, stack: int, module: wamr.Module) -> Report:
    """What running the program takes of a board's heap, at most, and what that leaves: in the
    portable engine, and as machine code.
    """
    memory, needs = program.instance.memory, program.instance.module.needs
    linear = len(memory.buf) if memory else 0
    # Earlier modules may have needed more of the engine.
    without = [memory.buf] if memory else []
    without += [vars(portable)[name] for bit, name in _ON_DEMAND.items() if not needs & bit]
    need = ram.heap_bytes([vars(program), Program], without)
    total = need.runtime + need.data + linear + stack
    return {
        "runtime": need.runtime,
        "module": need.data,
        "linear_memory": linear,
        "stack": stack,
        "total": total,
        "boards": [_on_board(board, board.free_heap - total, module) for board in BOARDS],
    }


def _on_board(board: Board, left: int, module: wamr.Module) -> Report:
    code = code_size(module, board.target)
    return {**board._asdict(), "left": left, "code": code, "left_native": left - code - _DRIVER}


def as_text(report: Report) -> str:
    """The report for people."""
    lines = [f"{report['file']}: {report['size']:,} bytes", "", click.style("Sections", bold=True)]
    rows = [(p["name"], f"{p['offset']:#x}", f"{p['size']:,}") for p in report["sections"]]
    lines += _columns(rows, right=(1, 2))
    if "imports" not in report:
        return "\n".join(lines)
    lines += ["", click.style("Imports", bold=True)]
    rows = [
        (
            f"{i['module']}.{i['name']}",
            i["kind"],
            i["type"],
            "" if i["provided"] else "not built in",
        )
        for i in report["imports"]
    ]
    lines += _columns(rows) or ["  none"]
    missing = [row[0] for row in rows if row[3]]
    if missing:
        lines.append(f"  to be given in Python with imports={{…}}: {', '.join(missing)}")
    lines += ["", click.style("Exports", bold=True)]
    lines += _columns([(e["name"], e["kind"], e["type"]) for e in report["exports"]]) or ["  none"]
    n = report["functions"]
    lines += ["", click.style("Code", bold=True)]
    lines.append(
        f"  {n['defined']} functions in {n['code_bytes']:,} bytes, {n['imported']} imported"
    )
    lines.append(f"  beyond WebAssembly 1.0: {', '.join(report['features']) or 'nothing'}")
    if "memory" in report:
        lines += ["", click.style("Memory", bold=True), *_memory_text(report["memory"])]
        lines += ["", click.style("RAM on a board, about", bold=True), *_ram_text(report["ram"])]
    return "\n".join(lines)


def _memory_text(memory: Report | None) -> list[str]:
    if memory is None:
        return ["  none"]
    pages, page_size, high = (memory[key] for key in ("declared_pages", "page_size", "max_pages"))
    limit = "no maximum" if high is None else f"at most {high}"
    count = "1 page" if pages == 1 else f"{pages:,} pages"
    lines = [f"  declared   {pages * page_size:,} bytes: {count} of {page_size:,}, {limit}"]
    allocated = f"  allocated  {memory['allocated']:,} bytes"
    if memory["heap"]:
        allocated += f", {memory['heap']:,} of them for malloc"
    lines.append(allocated)
    if memory["allocated"] >= pages * page_size > 1024 and page_size > 1:
        if memory["grows"]:
            lines.append("  not cut: the module uses memory.size or memory.grow")
        elif not memory["heap_base"]:
            lines.append(
                "  not cut: link with -Wl,--export=__heap_base to pay for what is used only"
            )
    return lines


def _ram_text(need: Report) -> list[str]:
    rows = [
        ("runtime", f"{need['runtime']:,}", "frozen in the firmware"),
        ("module", f"{need['module']:,}", "loaded and linked"),
        ("linear memory", f"{need['linear_memory']:,}", ""),
        ("stack", f"{need['stack']:,}", "at most"),
        ("in all", f"{need['total']:,}", ""),
    ]
    boards = [("board", "chip", "free heap", "left", "machine code", "left with it")]
    for board in need["boards"]:
        left, native = (
            f"{board[key]:,}" if board[key] >= 0 else "too small"
            for key in ("left", "left_native")
        )
        numbers = (f"{board['free_heap']:,}", left, f"{board['code']:,}", native)
        boards.append((board["name"], board["chip"], *numbers))
    return [*_columns(rows, right=(1,)), "", *_columns(boards, right=(2, 3, 4, 5))]


def _columns(rows: list[tuple[str, ...]], right: tuple[int, ...] = ()) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))] if rows else []
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
