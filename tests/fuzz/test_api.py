"""The API of a real supervisor, asked whatever its OpenAPI document allows, and much that it does not."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import requests
from docker.transport import UnixHTTPAdapter
from hypothesis import example, given
from hypothesis import strategies as st

from stigmer_pm.config import load
from stigmer_pm.spec.codec import encode
from stigmer_pm.supervisor.api import ROUTES
from stigmer_pm.supervisor.openapi import OPERATIONS, document
from tests.project import Project, make_project

from .effort import examples

if TYPE_CHECKING:
    from schemathesis import BaseSchema

pytestmark = pytest.mark.slow

URL = "http://supervisor"
FILE = """\
components:
  web: {command: sleep 1000, labels: {tier: core}, environment: {TOKEN: x}, probes: {liveness: {exec: 'true'}}}
  worker: {command: sleep 1000, depends_on: [web]}
  broken: {command: /no/such/program}
  job: {command: 'true', restart: never}
"""
#: What takes nothing can't be asked wrongly; what ends the supervisor is asked in `test_impossible_requests`.
ASKED = [
    (method, path, mode)
    for method, path, _ in ROUTES
    for mode in ("POSITIVE", "NEGATIVE")
    if path not in ("/v1/down", "/v1/let-go", "/v1/upgrade") and (path, mode) != ("/v1/openapi.json", "NEGATIVE")
]


#: Stands in a body for the number that is written there.
PLACE = "a number"


def _fields_with_numbers() -> Iterator[tuple[str, str]]:
    """Every place of a body that takes a number: those that requests name, and all of a component's."""
    yield "/v1/signal", "signal"
    yield "/v1/wait", "targets.web"
    for name, schema in OPERATIONS["POST", "/v1/wait"].body.items():  # type: ignore[union-attr]
        # A wait without an end would go on for ever: the others are asked with one.
        if "number" in json.dumps(schema):
            yield "/v1/wait", name
    component = document((method, path) for method, path, _ in ROUTES)["components"]["schemas"]["ComponentSpec"]
    for name, schema in component["properties"].items():
        if {"number", "integer"} & set(re.findall(r"[a-z]+", json.dumps(schema))):
            yield "/v1/apply", f"spec.components.0.{name}"
    for name in ("period", "timeout", "initial_delay", "failure_threshold", "termination_grace"):
        yield "/v1/apply", f"spec.components.0.probes.liveness.{name}"
    for name in ("initial", "max", "factor", "jitter"):
        yield "/v1/apply", f"spec.components.0.backoff.{name}"
    for name in ("umask", "nice"):
        yield "/v1/apply", f"spec.components.0.process.{name}"


@pytest.fixture(scope="module")
def supervised() -> Iterator[Project]:
    """A project that runs, for all that is asked in this module. Its log must have no traceback at the end."""
    for project in make_project():
        project.write(FILE)
        project.up("--no-wait")
        pid = project.supervisor_pid()
        yield project
        assert project.supervisor_pid() == pid, "it has begun anew"
        log = Path(project.dir, ".stigmer", "supervisor.log").read_text(encoding="utf-8")
        assert "Traceback" not in log, log[-3000:]
        assert project.ok("ps", "--json").json["components"]


@pytest.fixture(scope="module")
def session(supervised: Project) -> Iterator[requests.Session]:
    """Connections to its socket."""
    address = json.loads(Path(supervised.dir, ".stigmer", "supervisor.json").read_text(encoding="utf-8"))
    with requests.Session() as found:
        found.mount(URL, UnixHTTPAdapter(f"http+unix://{address['socket']}"))
        yield found


@pytest.fixture(scope="module")
def schema() -> BaseSchema:
    """What may be asked, as schemathesis has it."""
    import schemathesis

    return schemathesis.openapi.from_dict(document((method, path) for method, path, _ in ROUTES))


def test_the_supervisor_answers_its_own_document(session: requests.Session) -> None:
    """The same one that lies in schemas/."""
    assert session.get(f"{URL}/v1/openapi.json").json() == document((method, path) for method, path, _ in ROUTES)


@pytest.mark.parametrize(("method", "path", "mode"), ASKED)
def test_whatever_is_asked_is_answered_as_the_document_says(
    schema: BaseSchema, session: requests.Session, method: str, path: str, mode: str
) -> None:
    """A status, a type and a body that are in it, and no error of the supervisor's own."""
    from schemathesis import GenerationMode

    operation = schema[path][method]

    @examples(15)
    @given(case=operation.as_strategy(generation_mode=GenerationMode[mode]))
    def ask(case: Any) -> None:
        _bound(case)
        case.call_and_validate(base_url=URL, session=session, timeout=20, excluded_checks=_not_promised())

    ask()


def _bound(case: Any) -> None:
    """Nothing is to be begun that goes on without end, or writes where it likes."""
    if isinstance(case.body, dict) and case.path == "/v1/apply":
        case.body["dry_run"] = True
    if isinstance(case.body, dict) and case.path == "/v1/wait":
        timeout = case.body.get("timeout")
        if timeout is None or (isinstance(timeout, (int, float)) and timeout > 0.05):
            case.body["timeout"] = 0.05
    if case.query and str(case.query.get("follow")) in ("1", "true", "True", "['1']", "['true']"):
        case.query["follow"] = "0"
    elif case.query:
        case.query.pop("follow", None)


#: Numbers that JSON can write, and clocks, databases and machine words can't hold.
NUMBERS = st.one_of(
    st.tuples(st.sampled_from(["1", "-1"]), st.sampled_from([0, 1, 9, 18, 30, 300, 308, 309, 400, 4200])).map(
        lambda drawn: drawn[0] + "0" * drawn[1]
    ),
    st.integers(2**62, 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["1e308", "-1e308", "5e-324", "1e999", "NaN", "-Infinity", "9" * 5000]),
)


@pytest.mark.parametrize(("path", "field"), sorted(_fields_with_numbers()))
def test_a_number_of_any_size_is_answered_in_words(
    session: requests.Session, supervised: Project, path: str, field: str
) -> None:
    """In each place where a body has one. A stream must not end in the middle, nor an answer be a bug."""
    spec = encode(load(str(supervised.dir / "stigmer.yaml"), {}))
    bodies: dict[str, dict[str, Any]] = {
        "/v1/wait": {"for": "ready", "targets": {"web": 1, "broken": 1, "worker": 1}, "timeout": 0.02},
        "/v1/apply": {"spec": spec, "dry_run": True},
        "/v1/signal": {"names": ["web"], "signal": 0},
    }

    @examples(40)
    @given(number=NUMBERS)
    @example("1" + "0" * 400)  # no float holds it
    @example("-1" + "0" * 400)
    def ask(number: str) -> None:
        body = copy.deepcopy(bodies[path])
        *way, last = field.split(".")
        part: Any = body
        for key in way:
            part = part[int(key) if key.isdecimal() else key]
        part[last] = PLACE
        sent = json.dumps(body).replace(json.dumps(PLACE), number)
        with session.post(URL + path, data=sent, stream=True, timeout=20) as answer:
            told = answer.raw.readline() if answer.status_code == 200 and path == "/v1/wait" else b"event: progress"
        assert answer.status_code in (200, 400)
        assert told.startswith((b"event: progress", b"event: done"))

    ask()


def _not_promised() -> list[Any]:
    """Fields that nobody knows are passed over in some requests, so that a newer client may talk to an older
    supervisor; and what a name or a time is, is told by the answer and not by a pattern."""
    from schemathesis.specs.openapi import checks

    return [checks.negative_data_rejection, checks.positive_data_acceptance]


def test_what_is_streamed_is_as_the_document_says(session: requests.Session) -> None:
    """The data of each event."""
    schemas = document((method, path) for method, path, _ in ROUTES)["components"]["schemas"]
    body = {"for": "stopped", "targets": {"web": 1}, "timeout": 0.2}
    streams = [("POST", "/v1/wait", body, 2), ("GET", "/v1/events?follow=1", None, 5)]
    for method, path, sent, count in streams:
        with session.request(method, URL + path, json=sent, stream=True, timeout=20) as answer:
            lines = answer.iter_lines(decode_unicode=True)
            told = [line for line in itertools.islice(lines, 3 * count) if line]
        names = {"progress": "Progress", "done": "Done", "event": "Event"}
        assert len(told) == 2 * count
        for event, data in zip(told[::2], told[1::2], strict=True):
            schema = {
                "$ref": f"#/components/schemas/{names[event.removeprefix('event: ')]}",
                "components": {"schemas": schemas},
            }
            jsonschema.validate(json.loads(data.removeprefix("data: ")), schema)
