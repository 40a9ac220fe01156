"""``up --foreground``: the supervisor in this process, and the merged logs on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stigmer_pm.cli.applying import Wanted, order_of
from stigmer_pm.cli.screen.log_lines import LogPrinter
from stigmer_pm.cli.screen.terminal import OutputLost, Terminal
from stigmer_pm.cli.session import Session
from stigmer_pm.client.errors import Refused


@dataclass(frozen=True, slots=True)
class Front:
    """How ``--foreground`` ends: by itself, and by a signal."""

    exit_code_from: str | None
    exit_on_failure: bool
    leaves_running: bool


def run_in_front(session: Session, wanted: Wanted, front: Front) -> int:
    """Supervise until interrupted, or until the components end it. The exit status.

    Raises:
        Refused: it can't be begun; nothing was started.
    """
    # The only place where the command line imports the supervisor itself: here it is the supervisor.
    from stigmer_pm.supervisor import errors
    from stigmer_pm.supervisor.foreground import Display, Manner, run_foreground

    session.discard_seed()
    terminal = session.terminal
    printer = LogPrinter(terminal, [component.name for component in wanted.spec.components])

    def show(name: str, line: bytes) -> None:
        with _to_nobody_when_lost(terminal):
            printer.show(name, line)
            terminal.flush()

    def say(text: str) -> None:
        with _to_nobody_when_lost(terminal):
            terminal.say(text)

    manner = Manner(front.exit_code_from, front.exit_on_failure, front.leaves_running)
    try:
        return run_foreground(order_of(session, wanted), manner, Display(show, say))
    except errors.Refused as refused:
        raise Refused(refused.message, refused.cure, refused.exit_status) from refused


@contextmanager
def _to_nobody_when_lost(terminal: Terminal) -> Iterator[None]:
    """A terminal that was closed, or a reader that has gone, ends the words and not the supervision."""
    try:
        yield
    except (BrokenPipeError, OutputLost):
        terminal.give_up()
