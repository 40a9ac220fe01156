"""The OpenAPI document: current, complete, and of one mind with what the client expects."""

from __future__ import annotations

import json
from typing import Any, get_type_hints

import jsonschema
import pytest

from stigmer_pm.client import documents
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.spec.codec import decode
from stigmer_pm.supervisor.api import ROUTES
from stigmer_pm.supervisor.openapi import OPERATIONS, document
from tools.schema import OPENAPI_FILE, openapi_text


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    """What is answered and sent, by name."""
    found: dict[str, Any] = document((method, path) for method, path, _ in ROUTES)["components"]["schemas"]
    return found


def judge(schemas: dict[str, Any], name: str) -> Any:
    """A judge of one of them."""
    return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}})


def test_the_document_is_current() -> None:
    """It is generated from the routes and the spec; ``make schema`` makes it so."""
    assert OPENAPI_FILE.read_text(encoding="utf-8") == openapi_text(), "stale: run 'make schema'"


def test_every_route_is_in_the_document_and_nothing_else() -> None:
    """One table."""
    assert {(method, path) for method, path, _ in ROUTES} == set(OPERATIONS)


def test_every_schema_is_one(schemas: dict[str, Any]) -> None:
    """Of JSON Schema 2020-12, as OpenAPI 3.1 has it, and all that they refer to is there."""
    text = json.dumps(document((method, path) for method, path, _ in ROUTES))
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert text.count(f'"#/components/schemas/{name}"') or name in ("Progress", "Done"), f"nobody needs {name}"
    referred = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert referred <= set(schemas)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Component", documents.ComponentEntry),
        ("Description", documents.ComponentDetails),
        ("Ps", documents.PsDocument),
        ("LastExit", documents.LastExit),
        ("Change", documents.Change),
        ("Applied", documents.ApplyAnswer),
        ("Standing", documents.Standing),
        ("Event", documents.EventEntry),
    ],
)
def test_what_the_client_reads_is_what_the_document_promises(schemas: dict[str, Any], name: str, kind: type) -> None:
    """Every field that a client of ours takes is in every answer."""
    assert set(get_type_hints(kind)) <= set(schemas[name]["properties"])


@pytest.mark.parametrize(
    "spec",
    [
        {"name": "p", "file": "/f", "state_dir": "/s", "components": []},
        {"name": "p", "file": "/f", "state_dir": "/s", "components": [], "inputs": [{"path": "/f", "sha256": None}]},
        {"name": "p", "file": "/f", "state_dir": "/s"},
        {"name": "p", "file": "/f", "state_dir": "/s", "components": [{}]},
        {"name": "p", "file": "/f", "state_dir": "/s", "components": [{"name": "a", "nice": 1}]},
        {"name": "p", "file": "/f", "state_dir": "/s", "components": [{"name": "a", "restart": "sometimes"}]},
        {"name": "p", "file": 1, "state_dir": "/s", "components": []},
        {"name": "p", "file": "/f", "state_dir": "/s", "components": [{"name": "a", "labels": {"x": 1}}]},
        {"name": "p", "file": "/f", "state_dir": "/s", "components": [{"name": "a", "min_uptime": True}]},
        [],
    ],
)  # fmt: skip
def test_the_schema_of_a_spec_takes_what_is_decoded_and_nothing_else(schemas: dict[str, Any], spec: Any) -> None:
    """Both come from the same dataclasses."""
    try:
        decode(ProjectSpec, spec)
        is_taken = True
    except ValueError:
        is_taken = False
    assert judge(schemas, "ProjectSpec").is_valid(spec) == is_taken
