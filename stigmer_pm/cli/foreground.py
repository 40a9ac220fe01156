"""``up --foreground``: the supervisor in this process, and the merged logs on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stigmer_pm.cli.applying import Wanted, order_of
from stigmer_pm.cli.screen.log_lines import LogPrinter
from stigmer_pm.cli.screen.terminal import OutputLost, Terminal
from stigmer_pm.cli.session import Session
from stigmer_pm.client.documents import Document
from stigmer_pm.client.errors import Refused

if TYPE_CHECKING:
    from stigmer_pm.supervisor.foreground import Display
    from stigmer_pm.supervisor.handover import Handover


@dataclass(frozen=True, slots=True)
class Front:
    """How ``--foreground`` ends: by itself, and by a signal."""

    exit_code_from: str | None
    exit_on_failure: bool
    leaves_running: bool
    is_service: bool = False


def run_in_front(session: Session, wanted: Wanted, front: Front) -> int:
    """Supervise until interrupted, or until the components end it. The exit status.

    Raises:
        Refused: it can't be begun; nothing was started.
    """
    return run_order(session, order_of(session, wanted), front, [c.name for c in wanted.spec.components])


def run_order(session: Session, order: Document, front: Front, names: Iterable[str] = ()) -> int:
    """The same of an order; ``names`` are those of the components whose logs are shown.

    Raises:
        Refused: it can't be begun; nothing was started.
    """
    # Only here does the command line import the supervisor itself, for here it is the supervisor.
    from stigmer_pm.supervisor import errors
    from stigmer_pm.supervisor.foreground import run_foreground
    from stigmer_pm.supervisor.front_end import Manner

    manner = Manner(front.exit_code_from, front.exit_on_failure, front.leaves_running, front.is_service)
    session.discard_seed()
    try:
        return run_foreground(order, manner, _display(session.terminal, names))
    except errors.Refused as refused:
        raise Refused(refused.message, refused.cure, refused.exit_status, code=refused.code) from refused


def go_on_in_front(handover: Handover, environ: Mapping[str, str]) -> int:
    """Go on in front where another version has ended, in this very process. The exit status."""
    from stigmer_pm.supervisor import errors
    from stigmer_pm.supervisor.foreground import run_foreground
    from stigmer_pm.supervisor.front_end import Manner

    terminal = Terminal.of_this_process(environ)
    front = handover.front or {}
    order = {
        "recover": {"state_dir": handover.state_dir, "file": handover.file},
        "environment": dict(environ),
    }
    try:
        return run_foreground(order, Manner(**front["manner"]), _display(terminal, front["offsets"]), handover)
    except errors.Refused as refused:
        terminal.complain(refused.message)
        return refused.exit_status


def _display(terminal: Terminal, names: Iterable[str]) -> Display:
    from stigmer_pm.supervisor.foreground import Display

    printer = LogPrinter(terminal, names)

    def show(name: str, line: bytes) -> None:
        with _to_nobody_when_lost(terminal):
            printer.show(name, line)
            terminal.flush()

    def say(text: str) -> None:
        with _to_nobody_when_lost(terminal):
            terminal.say(text)

    return Display(show, say)


@contextmanager
def _to_nobody_when_lost(terminal: Terminal) -> Iterator[None]:
    """A terminal that was closed, or a reader that has gone, ends the words and not the supervision."""
    try:
        yield
    except (BrokenPipeError, OutputLost):
        terminal.give_up()
