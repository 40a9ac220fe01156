"""One place turns what goes wrong into words and an exit status."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from collections.abc import Iterable

import click

from stigmer_pm.cli.screen.terminal import Terminal
from stigmer_pm.client.errors import ClientError
from stigmer_pm.config.errors import ConfigError
from stigmer_pm.statedir import StateDir

BAD_USAGE = 2


class CliError(Exception):
    """Something that the command line itself refuses; ``cure`` is what helps."""

    def __init__(self, message: str, cure: str | None = None, exit_status: int = BAD_USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.exit_status = exit_status


#: What is for the user to read; everything else is a bug of ours.
EXPLAINED = (click.ClickException, CliError, ClientError, ConfigError)


def explain(error: Exception, terminal: Terminal) -> int:
    """Say the error in one or two lines (one for each problem of a file), and return the exit status."""
    if isinstance(error, (CliError, ClientError)):
        terminal.complain(error.message)
        if error.cure:
            terminal.hint(error.cure)
        return error.exit_status
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        terminal.say(error.format_message())
        return BAD_USAGE
    if isinstance(error, click.ClickException):
        _explain_usage(error, terminal)
    if isinstance(error, ConfigError):
        for problem in error.problems:
            terminal.complain(str(problem))
    return BAD_USAGE


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'restart'?``, or nothing when no known word is near."""
    from difflib import get_close_matches

    found = get_close_matches(word, list(known), n=2, cutoff=0.5)
    return f"; did you mean {' or '.join(repr(name) for name in found)}?" if found else ""


def record_crash(error: BaseException, state: StateDir | None) -> str:
    """Write the traceback down: in the log of the supervisor, or in a file of its own. The path of it.

    Raises:
        OSError: it can't be written anywhere.
    """
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    text = f"{moment} ERROR stigmer_pm.cli: bug\n{''.join(traceback.format_exception(error))}"
    if state is not None and os.path.isdir(state.path):
        try:
            descriptor = os.open(state.supervisor_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            pass
        else:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return state.supervisor_log
    descriptor, path = tempfile.mkstemp(prefix="stigmer-pm-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path


def _explain_usage(error: click.ClickException, terminal: Terminal) -> None:
    message = " ".join(error.format_message().split()).rstrip(".")  # click lists choices in lines of their own
    terminal.complain(message[:1].lower() + message[1:])
    context = getattr(error, "ctx", None)
    if isinstance(context, click.Context):
        terminal.hint(f"see '{context.command_path} --help'")
