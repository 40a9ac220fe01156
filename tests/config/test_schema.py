"""The JSON Schema that editors use: current, and of one mind with the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from stigmer_pm.config.schema import schema_text

ROOT = Path(__file__).resolve().parents[2]
SCHEMA_FILE = ROOT / "schemas" / "stigmer.schema.json"


@pytest.fixture(scope="module")
def validator() -> Any:
    """Judges a document by the schema, which must be a valid schema itself."""
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_is_current() -> None:
    """It is generated from the model; ``make schema`` makes it so."""
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "stale: run 'make schema'"


def test_the_example_and_what_init_writes_are_valid_by_the_schema(validator: Any) -> None:
    """And the example names the schema, so that an editor completes it."""
    from stigmer_pm.config import init_template

    example = (ROOT / "stigmer.yaml.example").read_text(encoding="utf-8")
    first = example.splitlines()[0]
    assert first == "# yaml-language-server: $schema=./schemas/stigmer.schema.json"
    for text in (example, init_template()):
        validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "components: {}",
        "components: {web: {command: x, max_restart: 3}}",
        "components: {web: {command: x, max_restarts: many}}",
        "components: {web: {command: x, stop_timeout: soon}}",
        "components: {web: {command: x, restart: sometimes}}",
        "components: {web: {command: x, probes: {readiness: {http: {path: /}}}}}",
        "component: {web: {command: x}}",
        "components: {web: {image: x, volumes: [{type: bind, target: /d, bind: {create: true}}]}}",
        "components: {web: {image: x, networks: {a: {alias: b}}}}",
        "components: {web: {image: x, ports: [{target: 80, mode: swarm}]}}",
    ],
)
def test_what_the_model_refuses_an_editor_marks(validator: Any, text: str) -> None:
    """The commonest mistakes: a misspelt key, a value of another kind, something missing."""
    assert not validator.is_valid(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "x-note: anything\ncomponents: {web: {command: x, x-more: {a: 1}}}",
        "components: {web: {command: [a, b], max_restarts: unlimited, stop_timeout: 1m30s, backoff: 5s}}",
        "components: {web: {command: a, max_restarts: '${N:-5}', environment: [A=1, B]}}",
        "components: {web: {command: a, probes: {livenessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 5}}}}",
        "components: {web: {command: a, depends_on: {db: {condition: service_healthy}}}, db: {command: b}}",
        "components: {web: {image: 'x:1', ports: [80, '80:80', {target: 80, published: '80-90', mode: host}]}}",
        "components: {web: {image: x, networks: back}, b: {image: x, networks: [a]}, c: {image: x, networks: {a: {}}}}",
        "components: {web: {image: x, networks: {a: {aliases: [b, c]}}, limits: {memory: 1GiB, cpu: 0.5}}}",
        "components: {web: {image: x, volumes: ['a:/b:ro,z', {target: /d, external: true, volume: {nocopy: true}}]}}",
        "components: {web: {image: x, volumes: [{type: tmpfs, target: /d, tmpfs: {size: 1MiB, mode: '0755'}}]}}",
    ],
)
def test_every_spelling_that_the_model_takes_is_valid(validator: Any, text: str) -> None:
    """Short forms, variables in place of numbers, and Kubernetes' and Compose's spellings."""
    validator.validate(yaml.safe_load(text))
