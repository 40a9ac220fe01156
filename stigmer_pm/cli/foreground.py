"""``up --foreground``: the supervisor in this process, and the merged logs on the screen."""

from __future__ import annotations

from stigmer_pm.cli.applying import Wanted, order_of
from stigmer_pm.cli.screen.log_lines import LogPrinter
from stigmer_pm.cli.session import Session
from stigmer_pm.client.errors import Refused


def run_in_front(session: Session, wanted: Wanted, exit_code_from: str | None, *, exit_on_failure: bool) -> int:
    """Supervise until interrupted, or until the components end it. The exit status.

    Raises:
        Refused: it can't be begun; nothing was started.
    """
    # The only place where the command line imports the supervisor itself: here it is the supervisor.
    from stigmer_pm.supervisor import errors
    from stigmer_pm.supervisor.foreground import run_foreground

    session.discard_seed()
    terminal = session.terminal
    printer = LogPrinter(terminal, [component.name for component in wanted.spec.components])

    def show(name: str, line: bytes) -> None:
        printer.show(name, line)
        terminal.flush()

    try:
        return run_foreground(
            order_of(session, wanted),
            show=show,
            say=terminal.say,
            exit_code_from=exit_code_from,
            exit_on_failure=exit_on_failure,
        )
    except errors.Refused as refused:
        raise Refused(refused.message, refused.cure, refused.exit_status) from refused
