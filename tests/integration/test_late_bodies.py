"""Requests whose body takes its time: what has begun meanwhile counts, and not how things stood at their first byte."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from typing import Any

import pytest

from stigmer_pm.config import load
from stigmer_pm.spec.codec import encode
from tests.integration.test_attacks import ask
from tests.integration.test_rude_clients import connected
from tests.project import Project

FILE = "components: {a: {command: ./slow, stop_timeout: 60s}, b: {command: sleep 1000}}\n"
#: It stops when it is let.
SLOW = "#!/bin/sh\ntrap 'while [ ! -e go ]; do sleep 0.02; done; exit 0' TERM\nwhile :; do sleep 0.02; done\n"
NAMED: dict[str, Any] = {"names": ["a", "b"]}


@pytest.fixture
def slow(project: Project) -> Project:
    """A project whose end takes until there is a file ``go``."""
    project.script("slow", SLOW)
    project.write(FILE)
    project.up()
    return project


class Late:
    """A request of which all has been sent but the last byte of its body, and which is being read."""

    def __init__(self, project: Project, path: str, body: Any) -> None:
        text = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n\r\n"
        self._connection = connected(project, head.encode() + text[:-1])
        self._last = text[-1:]
        # What comes in is read in the order in which it has come, so that the half was when this is answered.
        assert ask(project, "GET", "/v1/ps")[0] == 200

    def complete(self) -> None:
        """Send the rest."""
        self._connection.sendall(self._last)

    def answer(self) -> tuple[int, Any] | None:
        """The status and the document; ``None``: it was hung up on."""
        with closing(self._connection):
            head, end, rest = _heard(self._connection).partition(b"\r\n\r\n")
            return (int(head.split()[1]), json.loads(rest)) if end else None


def _heard(connection: socket.socket) -> bytes:
    heard = b""
    while part := _part(connection):
        heard += part
        head, end, body = heard.partition(b"\r\n\r\n")
        length = next((int(h[15:]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")), None)
        if end and length is not None and len(body) >= length:
            break
    return heard


def _part(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("verb", ["start", "restart", "reset", "apply"])
def test_what_arrives_while_everything_is_stopped_begins_nothing(slow: Project, verb: str) -> None:
    """It was carried out, and ``down`` never came to its end, nor did any other after it."""
    body = {"spec": encode(load(str(slow.dir / "stigmer.yaml"), {}))} if verb == "apply" else NAMED
    late = Late(slow, f"/v1/{verb}", body)
    down = slow.start("down", "--timeout", "20s")
    slow.wait_phase("a", "stopping")
    late.complete()
    answer = late.answer()
    (slow.dir / "go").touch()
    out, err = down.communicate(timeout=60)
    assert answer is not None
    assert (answer[0], answer[1].get("error", {}).get("code")) == (409, "ending"), answer
    assert down.returncode == 0, out + err
    assert not slow.living()


def test_a_stop_that_arrives_while_everything_is_stopped_joins_it(slow: Project) -> None:
    """It asks for what is being done."""
    late = Late(slow, "/v1/stop", NAMED)
    down = slow.start("down", "--timeout", "20s")
    slow.wait_phase("a", "stopping")
    late.complete()
    answer = late.answer()
    (slow.dir / "go").touch()
    down.communicate(timeout=60)
    assert answer is not None
    assert (answer[0], [r["name"] for r in answer[1]["results"]]) == (200, ["a", "b"])
    assert down.returncode == 0
    assert not slow.living()
