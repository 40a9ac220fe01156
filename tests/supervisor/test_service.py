"""A supervisor that can't begin lets go of what it has opened."""

from __future__ import annotations

import asyncio
import os
from contextlib import closing
from pathlib import Path

import pytest

from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.home import Home
from stigmer_pm.supervisor.order import Order
from stigmer_pm.supervisor.service import Service
from stigmer_pm.supervisor.world import LocalWorld


def test_one_that_can_not_begin_closes_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another may follow in the same process; and a descriptor of the record that is closed late takes the locks away
    that SQLite has on it."""
    monkeypatch.setattr(LocalWorld, "find_marked", lambda self: {"web": (1, 1, 1, "")})
    home = Home(str(tmp_path / ".stigmer"))

    async def begin() -> None:
        with pytest.raises(Refused, match="the record of what runs is lost"):
            Service(home, Order(home.dir.path, str(tmp_path / "stigmer.yaml"), {}))

    with closing(home):
        asyncio.run(begin())
        names = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_open(fd)]
        assert not [name for name in names if name.startswith(home.dir.database)]
        assert not os.path.exists(f"{home.dir.database}-wal"), "it was written back"


def _is_open(descriptor: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{descriptor}")
