"""`wamr run`: run a program on this PC, call one of its functions, or call them by hand."""

from __future__ import annotations

import click
import wamr
from wamr.apps import natives
from wamr.program import Program
from wamr.wasm.types import type_name

from wamr_cli import values
from wamr_cli.errors import OK, TRAP, LoadError, complain, trap_report
from wamr_cli.load import check
from wamr_cli.options import Size, directories_given, engine_name, environment_given
from wamr_cli.repl import interact


@click.command(context_settings={"allow_interspersed_args": False})
@click.option(
    "-f", "--function", metavar="NAME", help="Call this export with ARGS and print its results."
)
@click.option(
    "--repl", is_flag=True, help="Call exports by hand: a line is FUNC ARG…, Ctrl-D ends."
)
@click.option(
    "--stack", type=Size(), default=8192, show_default=True, help="Stack of calls and operands."
)
@click.option(
    "--heap", type=Size(), help="Heap for malloc.  [default: 8192 if the program wants one]"
)
@click.option(
    "--fuel", type=click.IntRange(min=0), metavar="N", help="Stop after N units of work."
)
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    metavar="NAME",
    callback=engine_name,
    help="How the code is run.",
)
@click.option(
    "--dir",
    "directories",
    multiple=True,
    metavar="HOST[::GUEST]",
    callback=directories_given,
    help="Let the program use this directory.",
)
@click.option(
    "--env",
    "environment",
    multiple=True,
    metavar="NAME=VALUE",
    callback=environment_given,
    help="Set a variable of the program's environment.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say on standard error how FILE is run.")
@click.argument("file", type=click.Path())
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def run(
    file, args, function, repl, directories, environment, stack, heap, fuel, engine, verbose
) -> int:
    """Run the program in FILE with ARGS, on this PC.

    The exit code is the program's own; 1 after a trap, 2 for wrong usage of this command, 3 when
    FILE cannot be loaded or linked, 130 after Ctrl-C.
    """
    if function and repl:
        raise click.UsageError("--function and --repl exclude each other")
    if repl and args:
        raise click.UsageError("--repl takes no arguments: type them behind the function's name")
    check(file)
    program = None
    try:
        program = Program(
            file,
            () if function else args,
            environment,
            dirs=directories,
            stack=stack,
            heap=heap,
            fuel=fuel,
            engine=engine,
        )
        if verbose:
            click.echo(how_it_is_run(wamr.info(program.instance)), err=True)
        if repl:
            return _repl(program, fuel)
        if function:
            return _call(program, function, args)
        return program.main() & 0xFF
    except wamr.Exit as exit_request:
        return exit_request.code & 0xFF
    except wamr.Trap as trap:
        click.echo(trap_report(trap), err=True)
        return TRAP
    except (wamr.CompileError, wamr.LinkError) as error:
        # The runtime names the option as its Python API has it.
        message = str(error).replace("function=", "--function")
        if isinstance(error, wamr.LinkError) and _is_for_boards(file):
            message = (
                "an app for boards with the app manager, which gives it what it imports; to try it"
                f" here: wamr -p sim install NAME {file}"
            )
        raise LoadError(f"{file}: {message}") from None
    except MemoryError:
        raise LoadError(f"{file}: not enough memory on this PC") from None
    finally:
        if program:
            program.close()


def _is_for_boards(file: str) -> bool:
    """Whether it imports functions of the app manager."""
    return any(
        where == "env" and natives.has(name) for where, name, *_ in wamr.Module(file).imports
    )


def how_it_is_run(info: wamr.Info) -> str:
    """What wamr.info() says, in words."""
    if info.code:
        return f"engine: {info.engine}, {info.code:,} bytes of machine code, {info.origin}"
    return f"engine: {info.engine}: {info.reason}"


def _call(program: Program, name: str, args) -> int:
    """Call an export; its results as iwasm prints them, on one line."""
    function = _function(program, name)
    params, results = ([type_name(code) for code in codes] for codes in function.type)
    if len(args) != len(params):
        raise click.UsageError(
            f"{name} takes {len(params)} arguments ({', '.join(params)}), {len(args)} given"
        )
    cells = []
    for number, (text, valtype) in enumerate(zip(args, params), 1):
        try:
            cells.append(values.parse(text, valtype))
        except ValueError as error:
            raise click.UsageError(f"argument {number} of {name}: {error}") from None
    cells = program.instance.call_raw(name, cells)
    if results:
        click.echo(",".join(values.show(cell, valtype) for cell, valtype in zip(cells, results)))
    return OK


def _function(program: Program, name: str):
    functions = _functions(program)
    if name not in functions:
        raise click.UsageError(
            f"no function {name!r} is exported; there are: {', '.join(functions) or 'none'}"
        )
    return program.instance.exports[name]


def _functions(program: Program) -> list[str]:
    return [name for name, kind, _ in program.instance.module.exports if kind == "func"]


def _repl(program: Program, fuel: int | None) -> int:
    def call(name: str, args: list[str]) -> None:
        program.instance.fuel = fuel  # the limit is for each line
        try:
            _call(program, name, args)
        except click.UsageError as error:
            complain(error.message)
        except wamr.Trap as trap:
            click.echo(trap_report(trap), err=True)
        except wamr.Exit as exit_request:
            complain(f"{name} asked to end the program with code {exit_request.code}")
        except KeyboardInterrupt:
            complain(f"{name} interrupted")

    interact(_functions(program), call)
    return OK
