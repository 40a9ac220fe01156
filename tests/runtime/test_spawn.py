"""Starting a program when the supervisor can open nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("user", "group", "outcome"),
    [
        ("root", None, "take its user 24"),
        ("0", None, "take its user 24"),
        (None, "root", "take its group 24"),
        ("nobody-of-that-name", None, "take its user 24"),
    ],
)
def test_a_user_that_cannot_be_looked_up_without_a_descriptor_is_not_unknown(
    user: str | None, group: str | None, outcome: str
) -> None:
    """The table of users is a file, and whoever can't open it is told that there is no such user. As a failed run, it
    would be given up on."""
    script = f"""
import os, resource
from stigmer_pm.runtime.spawn import SpawnFailure, resolve_identity
lowest = os.dup(0)
resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, lowest))
try:
    resolve_identity({user!r}, {group!r})
except SpawnFailure as failure:
    print(failure.step, failure.number)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == f"{outcome}\n", done.stderr
