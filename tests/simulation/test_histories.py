"""A thousand histories from seeds; ``make soak`` runs more of them."""

from __future__ import annotations

import pytest

from .histories import History

#: Seeds of a batch: enough for a second's work, so that xdist has something to share out and little to hand around.
_BATCH = 100
_BATCHES = 10


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, _BATCHES * _BATCH, _BATCH))
def test_what_always_must_hold_holds_in_every_history(first: int) -> None:
    """Whatever programs, users and the machine do, and wherever the supervisor dies: see ``oracle``."""
    for seed in range(first, first + _BATCH):
        history = History(seed)
        try:
            history.run()
        except Exception as error:
            replay = f"python -m tests.simulation --first {seed} --seeds 1"
            raise AssertionError(f"seed {seed}: {error}\n{history.story()}\nto replay it: {replay}") from error


def test_a_seed_tells_the_whole_history() -> None:
    """Or a failure could not be replayed."""
    stories = []
    for _ in range(2):
        history = History(8)
        history.run()
        stories.append(history.story())
    assert stories[0] == stories[1]
