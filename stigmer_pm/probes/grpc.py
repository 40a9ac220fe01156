"""The grpc handler: a server whose health service answers SERVING is a success.

The two messages of ``grpc.health.v1`` have one field each, so they are put together and taken apart here: the library
that would do it (protobuf, with code generated for it) is larger than the rest of this handler's needs.
"""

from __future__ import annotations

from collections.abc import Iterator

from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes.reason import seconds
from stigmer_pm.probes.result import CheckResult
from stigmer_pm.probes.shortage import check_descriptors
from stigmer_pm.spec import GrpcCheck
from stigmer_pm.threads import deaf
from stigmer_pm.version import __version__

_METHOD = "/grpc.health.v1.Health/Check"
_SERVING = 1
_STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
#: What must be free for an attempt. It takes ten, others may be under way, and their library ends the whole process
#: (SIGABRT) when it finds none where it needs one.
_DESCRIPTORS = 64
_OPTIONS = (
    ("grpc.primary_user_agent", f"stigmer-pm/{__version__}"),
    ("grpc.enable_http_proxy", 0),  # Kubernetes: the environment's proxies are not used
    ("grpc.use_local_subchannel_pool", 1),  # every attempt asks a fresh connection, as the kubelet does
)


async def check_grpc(check: GrpcCheck, timeout: float) -> CheckResult:
    """Ask once, in plain text, within ``timeout`` seconds for the connect and the call.

    Kubernetes: every answer but SERVING is a failure, and so is every error of the call.

    Raises:
        OSError: the supervisor is short of descriptors, so that nothing was asked.
    """
    check_descriptors(_DESCRIPTORS)
    from grpc import StatusCode, aio  # 20 MB, which a project without such probes need not pay

    host = f"[{check.host}]" if ":" in check.host else check.host
    what = f"service '{check.service}'" if check.service else "the server"
    words = f"health of {what} at {host}:{check.port}"
    with deaf():  # the library begins threads of its own, and those begin further ones
        opened = aio.insecure_channel(f"{host}:{check.port}", options=_OPTIONS)
    async with opened as channel:
        ask: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_METHOD)
        try:
            answer = await ask(_request(check.service), timeout=timeout)
            status = _status(answer)
        except aio.AioRpcError as error:
            if error.code() is StatusCode.DEADLINE_EXCEEDED:
                return CheckResult(Outcome.FAILURE, f"{words}: no answer within {seconds(timeout)}")
            return CheckResult(Outcome.FAILURE, f"{words}: {_error_words(error.code(), error.details())}")
        except ValueError:
            return CheckResult(Outcome.FAILURE, f"{words}: its answer is none of the health service")
    outcome = Outcome.SUCCESS if status == _SERVING else Outcome.FAILURE
    return CheckResult(outcome, f"{words} is {_STATUSES.get(status, status)}")


def _error_words(code: object, details: str | None) -> str:
    name = getattr(code, "name", str(code))
    if name == "UNAVAILABLE" and "refused" in (details or ""):
        return "connection refused"
    # What a server says in its details is its own affair, and may be anything; only the kind of error is told.
    return {"UNIMPLEMENTED": "it has no health service", "NOT_FOUND": "it knows no such service"}.get(name, name)


def _request(service: str) -> bytes:
    """``HealthCheckRequest``: field 1, the name of the service, left out when it is empty."""
    name = service.encode()
    return b"\x0a" + _varint(len(name)) + name if name else b""


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _status(message: bytes) -> int:
    """``HealthCheckResponse``: field 1, the status; 0 when it is left out. Unknown fields are passed over.

    Raises:
        ValueError: it is no such message.
    """
    status = 0
    values = iter(message)
    for key in values:
        field, kind = key >> 3, key & 7
        if kind == 0:
            number = _read_varint(values)
            status = number if field == 1 else status
        elif kind == 2 and field != 1:
            for _ in range(_read_varint(values)):
                _next(values)
        else:
            raise ValueError("unexpected kind of field")
    return status


def _read_varint(values: Iterator[int]) -> int:
    number, shift = 0, 0
    while shift < 64:
        value = _next(values)
        number |= (value & 0x7F) << shift
        if value < 0x80:
            return number
        shift += 7
    raise ValueError("a number that never ends")


def _next(values: Iterator[int]) -> int:
    value = next(values, None)
    if value is None:
        raise ValueError("cut off")
    return value
