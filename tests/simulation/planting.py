"""Bugs that are planted, to see that the oracle objects to each by the check that is there for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from stigmer_pm.core.events import Event
from stigmer_pm.core.lifecycle import TABLE, Handler
from stigmer_pm.core.state import Phase

from .clockwork import Circles
from .histories import History
from .violation import Violation

#: Histories in which a planted bug must show.
_ENOUGH = 300

Plant = Callable[[pytest.MonkeyPatch], None]


class Bugs(dict[Plant, str]):
    """Every bug, and what the oracle says to it."""

    def shows_as(self, objection: str) -> Callable[[Plant], Plant]:
        """A bug that is planted, with what must be said to it."""

        def keep(plant: Plant) -> Plant:
            self[plant] = objection
            return plant

        return keep

    def must_be_found(self, plant: Plant, patch: pytest.MonkeyPatch) -> None:
        """Fails when nobody says what is to be said."""
        plant(patch)
        found = []
        for objection in _objections():
            if re.search(self[plant], objection):
                return
            found.append(objection)
        pytest.fail(f"nobody says {self[plant]!r} in {_ENOUGH} histories, but {found[:5]}")


def name_of(plant: Plant) -> str:
    """A bug as the test of it is called."""
    return plant.__name__[1:]


def table(patch: pytest.MonkeyPatch, event: type[Event], handler: Handler, *phases: Phase) -> None:
    """Another handler for an event, in all phases that have one, or in these."""
    for phase in phases or Phase:
        if phases or not isinstance(TABLE[phase][event], str):
            patch.setitem(TABLE[phase], event, handler)


def _objections() -> Iterator[str]:
    """What the oracle objects to, history by history."""
    for seed in range(_ENOUGH):
        try:
            History(seed).run()
        except (Violation, Circles) as violation:
            yield str(violation)
