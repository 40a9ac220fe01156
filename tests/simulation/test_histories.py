"""Some thousand histories, each from its seed. ``make soak`` runs more."""

from __future__ import annotations

import pytest

from .histories import History

_BLOCKS, _LENGTH = 10, 300


@pytest.mark.slow
@pytest.mark.parametrize("block", range(_BLOCKS))
def test_no_history_breaks_what_always_holds(block: int) -> None:
    """A seed that fails is told with its story; ``python -m tests.simulation --first SEED --seeds 1`` repeats it."""
    for seed in range(block * _LENGTH, (block + 1) * _LENGTH):
        history = History(seed)
        try:
            history.run()
        except Exception as error:  # noqa: BLE001 (whatever it is, its seed is told)
            pytest.fail(f"seed {seed}: {type(error).__name__}: {error}\n{history.story()}")


def test_a_history_is_the_same_each_time() -> None:
    """Or a seed would be worth nothing."""
    stories = []
    for _ in range(2):
        history = History(7)
        history.run()
        stories.append(history.story())
    assert stories[0] == stories[1]
