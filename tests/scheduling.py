"""In which order tests run, and in which worker of pytest-xdist."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

#: Files whose tests share what takes seconds to make (a supervisor, a space of states): one worker makes it, once.
#: Files with the same words share the same thing.
_TOGETHER = {
    "tests/core/test_table.py": "the machine",
    "tests/docs/test_phases.py": "the machine",
    "tests/fuzz/test_api.py": "a supervisor that is asked everything",
    "tests/fuzz/test_keeper.py": "a process that does bad deeds",
    "tests/fuzz/test_socket.py": "a supervisor that is told rubbish",
    "tests/integration/test_impossible_requests.py": "a supervisor that is asked the impossible",
}

#: Where processes are started, and mostly waited for. What only computes fills in at the end, when a test that waits
#: for twenty seconds would have the other workers stand idle.
_WAITING = tuple(f"tests/{name}/" for name in ("chaos", "docker", "examples", "fuzz", "integration", "plugins"))


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Each test goes to the worker that is free, but for those that belong together."""

    def _split_scope(self, nodeid: str) -> str:
        return _TOGETHER.get(nodeid.partition("::")[0], nodeid)


def put_in_order(items: list[pytest.Item]) -> None:
    """What waits comes first; the order is chance's otherwise."""
    items.sort(key=lambda item: not item.nodeid.startswith(_WAITING))
