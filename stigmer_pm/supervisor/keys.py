"""What tells the processes and containers of one project from those of every other.

Both keys are made from what is there, and not by chance, so that what runs is found again even when the state folder
is lost. Once made, they are kept for as long as anything runs, and so survive a move of the folder. Then another
project may come to lie where that was: it must not take what runs with them for its own.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from stigmer_pm.marks import digest, mark_key
from stigmer_pm.runtime import system


@dataclass(frozen=True, slots=True)
class Keys:
    """``mark`` stands in the environment of processes; ``label`` on containers, whose engine other machines may use,
    so that the same path on two of them, or in two dev containers, is two projects."""

    mark: str
    label: str


def make_keys(state_dir: str, taken: Collection[str] = ()) -> Keys:
    """Those of a state folder, which is named by its real path; ``taken`` are marks of other projects that run."""
    path, number = os.fsencode(state_dir), 0
    words, mark = path, mark_key(state_dir)
    while mark in taken:
        number += 1
        words = path + b"\0%d" % number
        mark = digest(words)
    return Keys(mark, digest(words + b"\0" + system.machine_words().encode()))
