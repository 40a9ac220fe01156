"""The reference of commands and fields is what the program says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from stigmer_pm.cli.app import COMMANDS

_ROOT = Path(__file__).parents[2]
_REFERENCE = _ROOT / "docs" / "reference"


def test_the_reference_is_current() -> None:
    """It is generated; ``python tools/reference.py`` makes it so."""
    done = subprocess.run(
        [sys.executable, str(_ROOT / "tools" / "reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))},
    )
    assert done.returncode == 0, done.stderr


def test_every_command_is_in_it_with_its_example() -> None:
    """Each has a heading and a line to paste."""
    text = (_REFERENCE / "commands.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        _, heading, section = text.partition(f"\n## {name}\n")
        assert heading, name
        assert f"\nstigmer-pm {name}" in section.partition("\n## ")[0], name


def test_every_field_says_what_it_means() -> None:
    """No row of the tables is without words."""
    text = (_REFERENCE / "fields.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) > 40
    for row in rows:
        assert row.rstrip(" |").count(" | ") >= 2, row
