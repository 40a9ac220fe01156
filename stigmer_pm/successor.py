"""What a supervisor does first that has been put in the place of another by exec."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stigmer_pm.supervisor.handover import Handover


def take_over() -> int | None:
    """Go on where the one before has ended; the exit status at the end. ``None``: nothing was handed over to us."""
    from stigmer_pm.supervisor import handover  # noqa: PLC0415 (only one in front needs the command line)

    found = handover.take(os.environ)
    if found is None:
        return None
    if found.front is None:
        return _in_background(found)
    from stigmer_pm.cli.foreground import go_on_in_front  # noqa: PLC0415

    status: int = go_on_in_front(found, os.environ)
    return status


def _in_background(found: Handover) -> int:
    from stigmer_pm.supervisor import run  # noqa: PLC0415

    order = run.read_order({"recover": {"state_dir": found.state_dir, "file": found.file}, "environment": os.environ})
    return run.supervise(order, _nobody_asked, lambda home: None, found)


def _nobody_asked(document: Mapping[str, object]) -> None:
    """What becomes of it stands in the log."""
