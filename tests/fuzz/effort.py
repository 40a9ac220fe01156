"""How much is tried: a little and always the same in ``make test``, much and anew in ``make fuzz``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

#: How many times as much as ``make test`` does; a number of its own makes other examples than that.
EFFORT = int(os.environ.get("STIGMER_PM_FUZZ", "1"))
IS_LONG = EFFORT > 1


def examples(count: int) -> settings:
    """``count`` examples in ``make test``. A failure of a long run says how to have its example again."""
    return settings(
        max_examples=count * EFFORT,
        deadline=None,
        database=None,
        derandomize=not IS_LONG,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
