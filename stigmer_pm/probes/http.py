"""The http handler: a GET that is answered with 200 to 399 is a success."""

from __future__ import annotations

import asyncio
from functools import lru_cache

import h11

from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes.reason import reason, seconds
from stigmer_pm.probes.request import (
    BadLocation,
    Header,
    Target,
    custom_host,
    first_target,
    is_absolute,
    request_headers,
)
from stigmer_pm.probes.result import CheckResult
from stigmer_pm.probes.short_answer import status_of_short_answer
from stigmer_pm.probes.shortage import is_own_shortage
from stigmer_pm.probes.wire import Wire, open_wire
from stigmer_pm.spec import HttpCheck

_MAX_REQUESTS = 10  # Go's client: "stopped after 10 redirects"
_INFORMATIONAL_LIMIT = 5  # Go's client: "too many 1xx informational responses"
_BODY_LIMIT = 10 * 1024  # the kubelet's; the rest of a longer body is left unread
_HEAD_LIMIT = 256 * 1024  # nobody's answer to a probe is longer; keeps a broken server from filling the memory
_FOLLOWED = frozenset({301, 302, 303, 307, 308})
# The first request is the same at every attempt, so it is put together and validated once; for so many probes, which
# is 4 MB. The probes of a project are asked in turn, so with fewer places than probes nothing would ever be found.
_KNOWN_REQUESTS = 4096


async def check_http(check: HttpCheck, timeout: float) -> CheckResult:
    """Ask once, within ``timeout`` seconds for everything: connect, TLS, redirects and body.

    Redirects are followed while they stay on the host name of the first request, whatever the port and scheme; one
    that leads elsewhere, or has no Location, is a warning. Certificates are not checked, proxies not used
    (Kubernetes, for all of these).

    Raises:
        OSError: the supervisor is short of descriptors, processes or memory, so that nothing was asked.
    """
    attempt = _Attempt(check)
    try:
        async with asyncio.timeout(timeout) as limit:
            return await attempt.run()
    except OSError as error:
        if is_own_shortage(error):
            raise
        # The kernel's own ETIMEDOUT is a TimeoutError as well.
        if isinstance(error, TimeoutError) and limit.expired():
            return attempt.timed_out(timeout)
        return attempt.failed(reason(error))
    # The words of these errors quote header lines, so a token or a cookie might be in them.
    except h11.RemoteProtocolError:
        return attempt.failed("what was answered is not valid HTTP")
    except h11.LocalProtocolError:
        return attempt.failed("cannot send the request: a header's name or value is not valid in HTTP")
    except BadLocation as error:
        return attempt.failed(str(error))


_first_target = lru_cache(maxsize=_KNOWN_REQUESTS)(first_target)


class _Attempt:
    """The requests of one attempt, and how far it has come, which is told when it is cut short."""

    def __init__(self, check: HttpCheck) -> None:
        self._headers = check.headers
        self._target = _first_target(check)
        self._first_host = self._target.host
        self._custom_host = custom_host(check.headers)
        self._status: int | None = None  # of the target's answer, once its head is here

    async def run(self) -> CheckResult:
        """Make the requests. Raises what the connection and the protocol raise."""
        for _ in range(_MAX_REQUESTS):
            self._status = None
            following = await self._request()
            if following is None:
                return self._verdict()
            self._target = following
        return self.failed(f"stopped after {_MAX_REQUESTS} redirects")

    def failed(self, why: str) -> CheckResult:
        """The failure of the request that is under way."""
        if self._status is not None:
            # What is wrong with a body is not quoted: the words of the protocol's errors hold parts of it.
            return self._result(Outcome.FAILURE, f" answered {self._status}, but its body broke off")
        return self._result(Outcome.FAILURE, f": {why}")

    def timed_out(self, timeout: float) -> CheckResult:
        """The failure after ``timeout`` seconds. A stalled body is one, although the kubelet discards it."""
        if self._status is not None:
            words = f" answered {self._status}, but its body did not end within {seconds(timeout)}"
            return self._result(Outcome.FAILURE, words)
        return self._result(Outcome.FAILURE, f": no answer within {seconds(timeout)}")

    def _verdict(self) -> CheckResult:
        status = self._status or 0
        outcome = Outcome.FAILURE
        if 200 <= status < 300:
            outcome = Outcome.SUCCESS
        elif 300 <= status < 400:
            outcome = Outcome.WARNING
        return self._result(outcome, f" answered {status}")

    def _result(self, outcome: Outcome, words: str) -> CheckResult:
        return CheckResult(outcome, f"GET {self._target.shown}{words}")

    async def _request(self) -> Target | None:
        """Ask the target. The target of the redirect to follow, or ``None``: this answer is the last."""
        target = self._target
        request = _request_bytes(self._headers, self._custom_host, target)
        wire = await open_wire(target.host, target.port, tls=target.scheme == "https")
        try:
            await wire.send(request)
            received = await wire.receive()
            following = None
            self._status = status_of_short_answer(received)
            if self._status is None:
                following = await self._read(_Exchange(wire, self._head(), received))
        except BaseException:
            wire.abort()
            raise
        wire.close()
        return following

    async def _read(self, exchange: _Exchange) -> Target | None:
        answer = await exchange.head()
        following = self._following(answer)
        if following is None:
            self._status = answer.status_code
            await exchange.read_body()
        return following

    def _head(self) -> h11.Request:
        return _head(self._headers, self._custom_host, self._target)

    def _following(self, answer: h11.Response | h11.InformationalResponse) -> Target | None:
        location = next((value for name, value in answer.headers if name == b"location"), b"")
        if answer.status_code not in _FOLLOWED or not location:
            return None
        text = location.decode("utf-8", "surrogateescape")
        following = self._target.redirected(text, home=self._first_host)
        if following is not None and is_absolute(text):
            self._custom_host = None  # it names its host itself; only a relative Location keeps ours (Go)
        return following


def _head(given: tuple[Header, ...], host: str | None, target: Target) -> h11.Request:
    headers = request_headers(given, host or target.authority)
    return h11.Request(method="GET", target=target.request, headers=headers)


@lru_cache(maxsize=_KNOWN_REQUESTS)
def _request_bytes(given: tuple[Header, ...], host: str | None, target: Target) -> bytes:
    connection = h11.Connection(h11.CLIENT)
    return (connection.send(_head(given, host, target)) or b"") + (connection.send(h11.EndOfMessage()) or b"")


class _Exchange:
    """The answer to a request that has been sent, from the bytes that have been received on."""

    def __init__(self, wire: Wire, request: h11.Request, received: bytes) -> None:
        self._wire = wire
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_LIMIT)
        self._connection.send(request)
        self._connection.send(h11.EndOfMessage())
        self._take(received)

    async def head(self) -> h11.Response | h11.InformationalResponse:
        """The head of the final answer. A switch of protocols is one, since HTTP ends with it."""
        for _ in range(_INFORMATIONAL_LIMIT + 1):
            event = await self._next_event()
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                return event
        # Data that is there is received without a pause, so a server that never stops would stop the supervisor.
        raise ConnectionError(f"more than {_INFORMATIONAL_LIMIT} informational answers (1xx)")

    async def read_body(self) -> None:
        """Read the body to its end, or as much of it as the kubelet reads."""
        received = 0
        while received < _BODY_LIMIT:
            event = await self._next_event()
            if not isinstance(event, h11.Data):
                return
            received += len(event.data)

    async def _next_event(self) -> object:
        while (event := self._connection.next_event()) is h11.NEED_DATA:
            self._take(await self._wire.receive())
        return event

    def _take(self, data: bytes) -> None:
        if not data and self._connection.their_state is h11.SEND_RESPONSE and not self._connection.trailing_data[0]:
            raise ConnectionError("the connection was closed before an answer")
        self._connection.receive_data(data)
