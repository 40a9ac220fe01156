"""Writes schemas/stigmer.schema.json from the model of the file: ``python -m tools.schema`` (``make schema``)."""

from __future__ import annotations

import sys
from pathlib import Path

from stigmer_pm.config.schema import schema_text

SCHEMA_FILE = Path(__file__).resolve().parents[1] / "schemas" / "stigmer.schema.json"


def main() -> int:
    """Write it."""
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
