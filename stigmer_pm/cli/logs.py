"""``stigmer-pm logs``."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence

import click

from stigmer_pm.cli.errors import CliError
from stigmer_pm.cli.log_files import Content, LogFile, chosen_logs, silence_words
from stigmer_pm.cli.options import Count, example, file_option, label_option, names_argument
from stigmer_pm.cli.screen.log_lines import LogPrinter
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.logs import Follower, history

#: Lines of the past that are shown when no number is given: a screen or two.
_LINES = 100
#: Seconds between looks for new lines; a person doesn't notice it.
_LOOK = 0.1

Keep = Callable[[bytes], bool]


@click.command(
    "logs",
    short_help="Print what components have written.",
    epilog=example("logs", "logs -f workflow-runner", "logs -n 20 --grep error"),
)
@file_option("--file")
@click.option("-f", "--follow", is_flag=True, help="Stay, and print what is written from now on.")
@click.option(
    "-n",
    "--lines",
    type=Count(),
    default=_LINES,
    show_default=True,
    metavar="N",
    help="How many of the last lines of each component to print.",
)
@click.option("--grep", "pattern", metavar="REGEX", help="Only lines that match this regular expression.")
@click.option("--no-prefix", is_flag=True, help="Don't put the name of the component before a line.")
@click.option("--all", "everything", is_flag=True, help="Of all components, which is the default.")
@click.option("--since", metavar="WHEN", help="Not supported yet.")
@click.option("--until", metavar="WHEN", help="Not supported yet.")
@click.option("--timestamps", is_flag=True, help="Not supported yet.")
@label_option
@names_argument()
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    follow: bool,
    lines: int,
    pattern: str | None,
    no_prefix: bool,
    everything: bool,
    since: str | None,
    until: str | None,
    timestamps: bool,
) -> int:
    """Print what components have written, byte for byte, each line behind the name of its component.

    Works with no supervisor as well. Ctrl-C ends --follow, and hurts nothing. Exits with 1 when a log can't be read,
    or was deleted.
    """
    _refuse_times({"--since": since, "--until": until, "--timestamps": timestamps})
    if everything and names:
        raise click.UsageError("give names or --all, not both")
    keep = _keeps(pattern)
    logs = chosen_logs(session, names, labels)
    paths = {log.name: log.path for log in logs}
    printer = LogPrinter(session.terminal, paths, has_prefix=not no_prefix)
    troubled = _say_what_is_missing(session, logs, is_named=bool(names or labels))

    def trouble(name: str, error: OSError) -> None:
        troubled.append(name)
        session.terminal.complain(f"cannot read the log of {name} ('{paths[name]}'): {(error.strerror or '').lower()}")

    if follow:
        _follow(session, Follower(paths, lines, trouble), printer, keep)
    for line in history(paths, lines, trouble):
        if keep(line.data):
            printer.show(line.name, line.data)
    return 1 if troubled else 0


def _say_what_is_missing(session: Session, logs: Sequence[LogFile], *, is_named: bool) -> list[str]:
    """Say of each log that has gone that it has, and of one that was asked for by name that there is nothing to read.

    The names of those that have gone."""
    contents = {log.name: log.content() for log in logs}
    lost = [log for log in logs if contents[log.name] is Content.MISSING and log.loss]
    for log in lost:
        session.terminal.complain(log.loss)
    silent = [log for log in logs if log not in lost and contents[log.name] is not Content.SOMETHING]
    if is_named:
        for log in silent:
            session.terminal.say(silence_words(log, contents[log.name]))
    elif len(silent) == len(logs):
        session.terminal.say("no component has printed anything")
    return [log.name for log in lost]


def _follow(session: Session, follower: Follower, printer: LogPrinter, keep: Keep) -> None:
    """Print until interrupted."""
    while True:
        for line in follower.poll():
            if keep(line.data):
                printer.show(line.name, line.data)
        session.terminal.flush()
        if not follower.is_behind:
            time.sleep(_LOOK)


def _refuse_times(given: Mapping[str, object]) -> None:
    for option, value in given.items():
        if value:
            raise CliError(
                f"cannot use {option}: it is not supported yet, as lines carry no times of their own",
                "take the last lines with -n, choose lines with --grep, or see 'stigmer-pm events --since'",
            )


def _keeps(pattern: str | None) -> Keep:
    if pattern is None:
        return lambda line: True
    try:
        compiled = re.compile(os.fsencode(pattern))
    except re.error as error:
        raise click.UsageError(f"--grep takes a regular expression, and '{pattern}' is none: {error}") from error
    return lambda line: compiled.search(line) is not None
