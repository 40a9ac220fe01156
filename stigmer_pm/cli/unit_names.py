"""The name of a unit: that of its project, or one of its own where another project has the unit of that name."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

from stigmer_pm.cli.systemd_unit import Unit, runs_file
from stigmer_pm.marks import digest

#: Letters of a digest that tell two projects of one name apart; there are never many.
_LETTERS = 6


def named_apart(unit: Unit, folder: str) -> Unit:
    """The unit with a name under which none of another project lies in ``folder``, where systemd looks for it.

    One that is saved already keeps its name, also when the other one is gone by then.
    """
    apart = replace(unit, suffix=f"-{digest(os.fsencode(unit.file))[:_LETTERS]}")
    text = _read(os.path.join(folder, unit.name))
    is_anothers = bool(text.strip()) and not runs_file(text, unit.file)
    return apart if is_anothers or os.path.exists(os.path.join(folder, apart.name)) else unit


def _read(path: str) -> str:
    """What stands in a unit. One that is being printed into is empty: the shell has seen to that."""
    text = ""
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    return text
