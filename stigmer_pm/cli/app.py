"""The program: the table of its commands, and the one way through which every command is run."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from stigmer_pm.cli.errors import EXPLAINED, explain, nearest, record_crash
from stigmer_pm.cli.options import file_option
from stigmer_pm.cli.program import COMPLETION_VARIABLE, PROGRAM
from stigmer_pm.cli.screen.terminal import OutputLost, Terminal
from stigmer_pm.cli.session import Session
from stigmer_pm.version import __version__

if TYPE_CHECKING:
    from stigmer_pm.supervisor.launch import Seed

INTERRUPTED = 130
#: What a shell reports for a program that SIGPIPE ended, as it ends ``cat`` and ``ls``: whoever read us has gone.
READER_GONE = 141

#: Every command and the module that has it, in the order of the help. Imported only when used: ``ps`` must not pay
#: for what ``up`` needs.
COMMANDS: Mapping[str, str] = {
    "init": "stigmer_pm.cli.init",
    "validate": "stigmer_pm.cli.validate",
    "config": "stigmer_pm.cli.config",
    "up": "stigmer_pm.cli.up",
    "down": "stigmer_pm.cli.down",
    "wait": "stigmer_pm.cli.wait",
    "ps": "stigmer_pm.cli.ps",
    "start": "stigmer_pm.cli.start",
    "stop": "stigmer_pm.cli.stop",
    "restart": "stigmer_pm.cli.restart",
    "reset": "stigmer_pm.cli.reset",
    "logs": "stigmer_pm.cli.logs",
    "describe": "stigmer_pm.cli.describe",
    "events": "stigmer_pm.cli.events",
    "signal": "stigmer_pm.cli.signal",
    "pid": "stigmer_pm.cli.pid",
    "ls": "stigmer_pm.cli.ls",
    "upgrade": "stigmer_pm.cli.upgrade",
    "startup": "stigmer_pm.cli.startup",
    "version": "stigmer_pm.cli.version",
    "completion": "stigmer_pm.cli.completion",
}
ALIASES: Mapping[str, str] = {"status": "ps"}
#: What PM2, Compose, supervisord, systemd and others call it. They are no aliases, for not all is alike.
_ELSEWHERE: Mapping[str, str] = {
    "attach": "logs --follow",
    "avail": "ps",
    "check": "validate",
    "delete": "stop",
    "enable": "startup",
    "inspect": "describe",
    "jlist": "ps --json",
    "kill": "signal",
    "list": "ps",
    "monit": "ps --watch",
    "reload": "restart",
    "remove": "stop",
    "resurrect": "up",
    "rm": "stop",
    "show": "describe",
    "shutdown": "down",
    "tail": "logs --follow",
    "test": "validate",
    "top": "ps --watch",
    "update": "up",
}


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name or alias."""
        module = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if module is None:
            return None
        command: click.Command = import_module(module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but with the nearest names out of the table for one that doesn't exist."""
        name = args[0]
        if name not in COMMANDS and name not in ALIASES and not name.startswith("-") and not ctx.resilient_parsing:
            theirs = _ELSEWHERE.get(name)
            hint = f"; here it is '{theirs}'" if theirs else nearest(name, [*COMMANDS, *ALIASES])
            raise click.UsageError(f"there is no command '{name}'{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  stigmer-pm init\n  stigmer-pm up\n  stigmer-pm ps",
)
@click.version_option(__version__, "--version", prog_name=PROGRAM, message="%(prog)s %(version)s")
@file_option("-f", "--file")
def app() -> None:
    """Run the components of a stigmer.yaml, and keep them running.

    NAME is that of a component, or a pattern such as 'worker-*'.

    \b
    Exit status:
      0    done
      1    understood, but a component did not get there
      2    bad usage or bad file, nothing changed
      3    no supervisor answers for this project
      130  interrupted
    """


def run(arguments: Sequence[str], seed: Seed | None = None) -> int:
    """Run the command line and return its exit status. Nothing is raised, and no traceback is shown.

    ``seed`` is a forked child that may become the supervisor; it is discarded when the command has no use for it.
    """
    terminal = Terminal.of_this_process(os.environ)
    session = Session(terminal, os.environ, seed)
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        status = _invoke(list(arguments), session)
        terminal.flush()
    except (KeyboardInterrupt, click.Abort):
        with suppress(BrokenPipeError, OutputLost):
            terminal.say("interrupted; what runs is not hurt")
        status = INTERRUPTED
    except Exception as error:  # noqa: BLE001 (the one top of the command line; what isn't ours to explain is a bug)
        status = _fail(error, session)
    finally:
        session.discard_seed()
    return status


def _invoke(arguments: list[str], session: Session) -> int:
    instruction = session.environ.get(COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(app, {"obj": session}, PROGRAM, COMPLETION_VARIABLE, instruction)
    try:
        with app.make_context(PROGRAM, arguments, obj=session) as context:
            result: Any = app.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return result if isinstance(result, int) else 0


def _fail(error: Exception, session: Session) -> int:
    """Say what went wrong, if there is still somebody to say it to."""
    terminal = session.terminal
    try:
        if isinstance(error, (BrokenPipeError, OutputLost)):
            raise error
        if isinstance(error, EXPLAINED):
            return explain(error, terminal)
        place = _recorded(error, session)
        terminal.complain(f"internal error: {type(error).__name__}: {error}".splitlines()[0])
        terminal.hint(place)
    except BrokenPipeError:
        terminal.give_up()
        return READER_GONE
    except OutputLost as lost:
        terminal.give_up()
        with suppress(BrokenPipeError, OutputLost):
            terminal.complain(str(lost))
        terminal.give_up()  # where that could not be written either
    return 1


def _recorded(error: Exception, session: Session) -> str:
    try:
        return f"its traceback is in {record_crash(error, session.known_state())}"
    except OSError as lack:  # a full disk, say
        return f"its traceback can't be written down: {(lack.strerror or str(lack)).lower()}"
