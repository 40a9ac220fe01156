"""The sections of a file of cases, and what runs each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from .attempts import run_attempt
from .backoffs import run_backoff
from .documents import run_default, run_validation
from .policies import run_policy
from .sequences import run_sequence
from .timelines import run_timeline

Case = dict[str, Any]

#: What a case comes to: its problems, none of them when it passes; ``None``: it has no meaning here.
Run = Callable[[Case], list[str] | None]

SECTIONS: dict[str, Run] = {
    "sequence_cases": run_sequence,
    "timeline_cases": run_timeline,
    "handler_cases": run_attempt,
    "default_cases": run_default,
    "validation_cases": run_validation,
    "backoff_cases": run_backoff,
    "systemd_restart_matrix": run_policy,
}


def load_cases(path: Path) -> dict[str, list[Case]]:
    """Every section that the file has, with its cases."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    found: dict[str, list[Case]] = {}
    for section in SECTIONS:
        cases = document.get(section) or []
        if isinstance(cases, dict):  # the matrix: a row for each policy
            cases = [{"id": str(name), **row} for name, row in cases.items()]
        found[section] = cases
    return found
