"""From a probe to its handler, whatever the handler does."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields

import pytest

from stigmer_pm.probes import HANDLERS, CheckResult, Outcome, ProbeContext, run_check
from stigmer_pm.spec import ExecCheck, GrpcCheck, HttpCheck, LogCheck, PluginCheck, ProbeKind, ProbeSpec, TcpCheck

from .real_spawner import RealSpawner

_PROBE = ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(1), timeout=3.0)


def _raises(error: Exception) -> CheckResult:
    async def handler(_check: object, _timeout: float, _context: ProbeContext) -> CheckResult:
        raise error

    context = ProbeContext({}, "/", RealSpawner())
    return asyncio.run(run_check(_PROBE, context, handlers={"tcp": handler}))


def test_a_handler_gets_its_own_fields_and_the_timeout() -> None:
    """A handler joins by its name, which is the field of the probe."""
    seen: list[object] = []

    async def handler(check: object, timeout: float, _context: ProbeContext) -> CheckResult:
        seen.extend((check, timeout))
        return CheckResult(Outcome.WARNING, "hm")

    context = ProbeContext({}, "/", RealSpawner())
    result = asyncio.run(run_check(_PROBE, context, handlers=HANDLERS | {"tcp": handler}))
    assert result == CheckResult(Outcome.WARNING, "hm")
    assert seen == [TcpCheck(1), 3.0]


def test_a_bug_in_a_handler_is_discarded_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Kubernetes: an internal error counts as neither success nor failure."""
    with caplog.at_level(logging.ERROR):
        result = _raises(ZeroDivisionError("division by zero"))
    assert result == CheckResult(Outcome.DISCARDED, "bug in the handler 'tcp': ZeroDivisionError: division by zero")
    assert caplog.records[0].exc_info


def test_a_lack_of_descriptors_is_discarded() -> None:
    """It is the supervisor's, and must not restart every component that has a probe."""
    result = _raises(OSError(errno.EMFILE, "Too many open files"))
    assert result == CheckResult(Outcome.DISCARDED, "cannot make the attempt: too many open files")


@pytest.mark.parametrize("field", ["http", "tcp", "exec", "log", "grpc"])
def test_no_handler_takes_a_lack_of_descriptors_for_a_failure(field: str) -> None:
    """With the limit reached, every type of probe is discarded; gRPC would end the whole supervisor (SIGABRT)."""
    check = {"exec": 'ExecCheck(("true",))', "log": 'LogCheck("x")'}.get(field, f"{field.capitalize()}Check(1)")
    assert outcome_without_descriptors(field, check) == "discarded"


@pytest.mark.parametrize("free", [1, 5, 8])
def test_grpc_is_not_asked_with_few_descriptors(free: int) -> None:
    """It needs about ten, and aborts when it finds fewer."""
    assert outcome_without_descriptors("grpc", "GrpcCheck(1)", free=free) == "discarded"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("socket.gaierror(socket.EAI_NONAME, 'Name or service not known')", "discarded"),
        ("socket.gaierror(socket.EAI_AGAIN, 'Temporary failure in name resolution')", "discarded"),
        ("OSError(errno.EMFILE, 'Too many open files')", "discarded"),
    ],
)
def test_a_host_that_cannot_be_looked_up_without_a_descriptor_is_not_unknown(error: str, outcome: str) -> None:
    """The resolver says "not known" when it could open neither its file nor a socket."""
    assert outcome_without_descriptors("tcp", "TcpCheck(1, host='web')", lookup=error) == outcome


def test_a_host_that_cannot_be_looked_up_for_lack_of_memory_is_not_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """EAI_MEMORY; and with neither lacking, it is unknown."""
    probe = ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(1, host="web"))
    for number, outcome in ((socket.EAI_MEMORY, Outcome.DISCARDED), (socket.EAI_NONAME, Outcome.FAILURE)):
        monkeypatch.setattr(socket, "getaddrinfo", _lookup_that_raises(socket.gaierror(number, "it says")))
        assert asyncio.run(run_check(probe, ProbeContext({}, "/", RealSpawner()))).outcome is outcome


def _lookup_that_raises(error: Exception) -> Callable[..., object]:
    def lookup(*args: object, **rest: object) -> object:
        raise error

    return lookup


def outcome_without_descriptors(field: str, check: str, *, lookup: str = "", free: int = 0) -> str:
    """Of an attempt in a process that can open so many files; ``lookup`` is what every look-up of a host raises."""
    script = f"""
import asyncio, errno, os, resource, socket
from stigmer_pm.probes import ProbeContext, run_check
from stigmer_pm.spec import ExecCheck, GrpcCheck, HttpCheck, LogCheck, ProbeKind, ProbeSpec, TcpCheck
import stigmer_pm.probes.http, stigmer_pm.probes.tcp, stigmer_pm.probes.exec, stigmer_pm.probes.log, grpc.aio

def fail(*args, **rest):
    raise {lookup}

async def main():
    probe = ProbeSpec(ProbeKind.LIVENESS, {field}={check})
    if {bool(lookup)}:
        socket.getaddrinfo = fail
    asyncio.get_running_loop().run_in_executor(None, os.getpid)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + {free}, lowest + {free}))
    print((await run_check(probe, ProbeContext({{}}, "/", None, log="/etc/passwd"))).outcome)

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return done.stdout.strip()


def test_a_probe_without_a_known_handler_is_discarded() -> None:
    """It can't be said whether such a component is well."""
    result = asyncio.run(run_check(_PROBE, ProbeContext({}, "/", RealSpawner()), handlers={}))
    assert result.outcome is Outcome.DISCARDED


def test_every_type_of_check_in_a_spec_has_a_handler() -> None:
    """The table follows the spec."""
    checks = {
        "http": HttpCheck(1),
        "tcp": TcpCheck(1),
        "exec": ExecCheck(("true",)),
        "grpc": GrpcCheck(1),
        "log": LogCheck("x"),
        "plugin": PluginCheck("x"),
    }
    assert set(HANDLERS) == set(checks) == {f.name for f in fields(ProbeSpec) if "Check" in str(f.type)}
    for name, check in checks.items():
        assert ProbeSpec(ProbeKind.LIVENESS, **{name: check}).check is check  # type: ignore[arg-type]


def test_importing_the_package_loads_no_http_library() -> None:
    """A supervisor without http and grpc probes doesn't pay for them in memory."""
    heavy = "{'h11', 'grpc', 'importlib.metadata', 'stigmer_pm.probes.http'}"
    script = f"import sys, stigmer_pm.probes; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
