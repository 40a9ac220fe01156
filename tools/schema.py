"""Writes schemas/ from the model of the file and from the routes of the API: ``python -m tools.schema``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from stigmer_pm.config.schema import schema_text
from stigmer_pm.supervisor.api import ROUTES
from stigmer_pm.supervisor.openapi import document

_SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
SCHEMA_FILE = _SCHEMAS / "stigmer.schema.json"
OPENAPI_FILE = _SCHEMAS / "openapi.json"


def openapi_text() -> str:
    """The OpenAPI document, as it is answered at ``/v1/openapi.json``."""
    return json.dumps(document((method, path) for method, path, _ in ROUTES), indent=2) + "\n"


def main() -> int:
    """Write them."""
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    OPENAPI_FILE.write_text(openapi_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
