"""Hostile files: no traceback, nothing that hangs, a bound on memory, and nothing is started or written."""

from __future__ import annotations

import pytest

from .batches import run_batch
from .effort import EFFORT, IS_LONG
from .keeper import Keeper

pytestmark = pytest.mark.slow


@pytest.mark.skipif(IS_LONG, reason="make fuzz reads many more of them")
@pytest.mark.parametrize("number", range(4))
def test_no_file_does_harm(number: int) -> None:
    """cli.md: "No Python traceback ever reaches a user"; config.md: "nothing is started, stopped or changed"."""
    with Keeper() as keeper:
        batch = run_batch(number, keeper, size=100)
    assert batch.found is None, f"{batch.found.faults}\n{batch.found.case!r:.2000}"
    assert batch.count == 100 * EFFORT
