"""Real files to begin from: what this project ships and shows, and what people bring along from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from stigmer_pm.config import init_template

_HERE = Path(__file__).resolve().parent / "real"
_ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


@cache
def texts() -> Sequence[str]:
    """Files as they are written; those of the documentation count as well."""
    files = [path.read_text(encoding="utf-8") for path in sorted(_HERE.iterdir()) if path.suffix != ".env"]
    pages = [path.read_text(encoding="utf-8") for path in sorted((_ROOT / "docs").rglob("*.md"))]
    shown = [block for page in pages for block in _FENCE.findall(page)]
    return (init_template(), (_ROOT / "stigmer.yaml.example").read_text(encoding="utf-8"), *files, *shown)


@cache
def env_texts() -> Sequence[str]:
    """Files of variables."""
    example = _ROOT / "examples" / "stigmer" / "runner.env"
    return tuple(path.read_text(encoding="utf-8") for path in (_HERE / "extra.env", example))


@cache
def trees() -> Sequence[dict[str, Any]]:
    """The documents among them, as plain values."""
    found = []
    for text in texts():
        try:
            tree = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        if isinstance(tree, dict):
            found.append(tree)
    return tuple(found)
