"""What tells the processes and containers of one project from those of every other.

Both keys are made from what is there, and not by chance, so that what runs is found again even when the state folder
is lost; once made, they are kept, and survive a move of the folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from stigmer_pm.marks import digest, mark_key
from stigmer_pm.runtime import system


@dataclass(frozen=True, slots=True)
class Keys:
    """``mark`` stands in the environment of processes; ``label`` on containers, whose engine other machines may use,
    so that the same path on two of them, or in two dev containers, is two projects."""

    mark: str
    label: str


def make_keys(state_dir: str) -> Keys:
    """Those of a state folder, which is named by its real path."""
    return Keys(mark_key(state_dir), digest(os.fsencode(state_dir) + b"\0" + system.machine_words().encode()))
