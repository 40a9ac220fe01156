"""What start, stop, restart and reset have in common: choose, ask, wait, and say how it went."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from stigmer_pm.cli.file_changes import has_changed, say_changed
from stigmer_pm.cli.options import (
    all_option,
    file_option,
    label_option,
    names_argument,
    no_wait_option,
    selection_of,
    timeout_option,
)
from stigmer_pm.cli.screen.outcome import report_unwell, summary
from stigmer_pm.cli.screen.progress import watch
from stigmer_pm.cli.session import Session
from stigmer_pm.client.documents import SaidResult, Targets
from stigmer_pm.client.requests import Selection, Supervisor

F = TypeVar("F", bound=Callable[..., Any])

#: Seconds of backoff that a command sits out. Longer, and it says how things stand; the supervisor keeps trying.
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Watching:
    """How the result is waited for. Times in seconds; a command with a timeout sits out every backoff."""

    no_wait: bool = False
    timeout: float | None = None
    settle: float = 1.0
    sits_out_backoff: bool = False

    @property
    def patience(self) -> float | None:
        """The longest backoff that is sat out."""
        return None if self.sits_out_backoff or self.timeout is not None else PATIENCE


def acting_options(function: F) -> F:
    """``NAME… | --all | --label``, and how to wait."""
    for option in (file_option(), timeout_option, no_wait_option, label_option, all_option, names_argument()):
        function = option(function)
    return function


def act(
    session: Session,
    verb: str,
    names: Sequence[str],
    labels: Sequence[tuple[str, str]],
    *,
    everything: bool,
    watching: Watching,
) -> int:
    """Ask for ``verb``, wait for its result, and say it. The exit status."""
    selection = chosen(verb, names, labels, everything=everything)
    supervisor = session.living_supervisor(watching.timeout)
    supervisor.timeout = watching.timeout
    results, targets = supervisor.act(verb, selection)
    if verb != "stop":
        _say_unapplied_edit(session, supervisor, results)
    _say_results(session, results, no_wait=watching.no_wait)
    if watching.no_wait:
        return 0
    already = [result["name"] for result in results if _is_already(result)]
    goal = "stopped" if verb == "stop" else "ready"
    return wait_and_report(session, supervisor, targets, goal, watching, already)


def chosen(verb: str, names: Sequence[str], labels: Sequence[tuple[str, str]], *, everything: bool) -> Selection:
    """What is to be acted on; nothing is ever chosen by leaving everything out.

    Raises:
        UsageError: nothing was named, or both names and ``--all``.
    """
    if everything and names:
        raise click.UsageError("give names or --all, not both")
    if not (everything or names or labels):
        raise click.UsageError(f"nothing to {verb}: name components, or give --all or --label")
    return selection_of(names, labels, everything=everything)


def wait_and_report(
    session: Session,
    supervisor: Supervisor,
    targets: Targets | Selection,
    goal: str,
    watching: Watching,
    already: Collection[str] = (),
) -> int:
    """Wait with a display, say what is not well and a summary. The exit status. Of ``already`` it was said that they
    are there."""
    messages = supervisor.wait(
        targets, goal=goal, settle=watching.settle, timeout=watching.timeout, patience=watching.patience
    )
    outcome = watch(session.terminal, messages, goal, already)
    report_unwell(session.terminal, outcome, goal, watching.timeout)
    session.terminal.print(summary(outcome, goal))
    return 0 if outcome.reached else 1


def _say_results(session: Session, results: Sequence[SaidResult], *, no_wait: bool) -> None:
    for result in results:
        # What has begun shows in the progress; what was so already, and what isn't waited for, must be said.
        if no_wait or _is_already(result):
            session.terminal.print(f"{result['name']}: {result['said']}")


def _is_already(result: SaidResult) -> bool:
    return result["said"].startswith("already")


def _say_unapplied_edit(session: Session, supervisor: Supervisor, results: Sequence[SaidResult]) -> None:
    if not results:
        return
    document = supervisor.ps(Selection((results[0]["name"],)))
    if has_changed(document["inputs"]):
        say_changed(session.terminal, document["file"])
