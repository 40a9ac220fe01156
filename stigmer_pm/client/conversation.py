"""Talking to one supervisor: a request with its answer or stream, and why there is none, in words."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence

from stigmer_pm.client import finding
from stigmer_pm.client.connection import connect
from stigmer_pm.client.documents import Document
from stigmer_pm.client.errors import Refused
from stigmer_pm.client.exchange import Answer, ask
from stigmer_pm.client.finding import Address
from stigmer_pm.client.streams import messages
from stigmer_pm.statedir import StateDir

#: Seconds within which a supervisor answers a question; it answers in milliseconds unless it is stuck.
ANSWER_WITHIN = 5.0
#: Seconds for a request that begins work: thousands of starts keep the supervisor's loop busy for a while.
BEGIN_WITHIN = 60.0


class Conversation:
    """Asks a supervisor, each time on a connection of its own.

    Every method raises ``NoSupervisor`` when it can't be reached and ``Refused`` when it says no.
    """

    def __init__(self, state: StateDir, address: Address) -> None:
        self.state = state
        self.address = address
        #: Seconds that whoever asks has for all of it; ``None``: as long as it takes. A supervisor that doesn't answer
        #: is given up on soon after, and a request that it has received may still be carried out.
        self.timeout: float | None = None
        #: The last stream had no end.
        self.was_cut_off = False

    def knock(self) -> None:
        """Make sure that it is there and answers: what is asked of one that is suspended would be carried out later,
        when whoever asked has given up."""
        with self._connect(ANSWER_WITHIN) as connection:
            try:
                ask(connection, "GET", "/", None).read()
            except OSError as error:
                raise finding.explain_silence(self.state, self.address, error) from error

    def _begin_within(self) -> float:
        return BEGIN_WITHIN if self.timeout is None else min(BEGIN_WITHIN, self.timeout + ANSWER_WITHIN)

    def _ask(
        self, method: str, path: str, body: Document | None = None, query: Sequence[tuple[str, str]] = ()
    ) -> Document:
        """The answer to one request."""
        if method != "GET":
            self.knock()
        with self._connect(ANSWER_WITHIN if method == "GET" else self._begin_within()) as connection:
            try:
                found: Document = json.loads(self._send(connection, method, path, body, query).read())
            except OSError as error:
                raise finding.explain_silence(self.state, self.address, error) from error
        return found

    def _stream(
        self, method: str, path: str, body: Document | None = None, query: Sequence[tuple[str, str]] = ()
    ) -> Iterator[tuple[str, Document]]:
        """The messages that answer one request, as they come; without an end of their own, they were cut off.

        Raises:
            Refused: something went wrong in the middle.
        """
        if method != "GET":
            self.knock()
        with self._connect(self._begin_within()) as connection:
            try:
                answer = self._send(connection, method, path, body, query)
            except OSError as error:
                raise finding.explain_silence(self.state, self.address, error) from error
            self.was_cut_off = False
            # A stream is silent for as long as nothing happens; one with a timeout ends by itself when that has passed.
            connection.settimeout(None if self.timeout is None else self.timeout + ANSWER_WITHIN)
            try:
                for event, document in messages(answer.lines()):
                    if event == "error":
                        raise _refused(document)
                    yield event, document
            except TimeoutError as error:
                raise finding.explain_silence(self.state, self.address, error) from error
            except ConnectionError:
                self.was_cut_off = True  # of a stream with a last message, who reads it sees that as well

    def _send(
        self,
        connection: socket.socket,
        method: str,
        path: str,
        body: Document | None,
        query: Sequence[tuple[str, str]],
    ) -> Answer:
        target = path + ("?" + "&".join(f"{key}={quoted(value)}" for key, value in query) if query else "")
        answer = ask(connection, method, target, None if body is None else json.dumps(body).encode())
        if answer.status >= 400:
            raise _refusal(answer)
        return answer

    def _connect(self, timeout: float) -> socket.socket:
        try:
            return connect(self.address, timeout)
        except OSError as error:
            raise finding.explain_silence(self.state, self.address, error) from error


def _refusal(answer: Answer) -> Refused:
    text = answer.read()
    try:
        return _refused(json.loads(text))
    except (ValueError, KeyError, TypeError):
        return Refused(f"the supervisor answered with status {answer.status}, and without a reason")


def _refused(document: Document) -> Refused:
    error = document["error"]
    return Refused(
        str(error["message"]), error.get("cure"), int(error.get("exit", 1)), code=str(error.get("code") or "")
    )


def quoted(text: str) -> str:
    """A text as a part of an address."""
    if text.isascii() and text.replace("-", "").replace("_", "").isalnum():
        return text
    from urllib.parse import quote  # noqa: PLC0415 (2 ms that a bare ps has no use for)

    return quote(text, safe="", errors="surrogateescape")
