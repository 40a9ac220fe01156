"""Attempts of probes, each of which is answered."""

from __future__ import annotations

import asyncio

import pytest

from stigmer_pm.core.events import ProbeDone
from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes import CheckResult, DeclaredProbe
from stigmer_pm.spec import ProbeKind, ProbeSpec, TcpCheck
from stigmer_pm.supervisor.prober import Prober

SPEC = ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(80))


class Broken(DeclaredProbe):
    """One with a bug outside of its handler, where that of a container looks for its address."""

    def __init__(self) -> None:
        pass

    async def check(self) -> CheckResult:
        raise KeyError("HostPort")


def test_an_attempt_that_a_bug_has_ended_says_nothing_and_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    """Without an answer the attempt would be under way for ever, and the probe never be asked again."""
    answers: list[tuple[str, ProbeDone]] = []

    async def attempt() -> None:
        prober = Prober(asyncio.get_running_loop(), lambda instance, done: answers.append((instance, done)))
        prober.attempt("web", 1, SPEC, Broken)
        async with asyncio.timeout(10):
            while not answers:
                await asyncio.sleep(0.001)
        await prober.close()

    asyncio.run(attempt())
    ((instance, done),) = answers
    assert (instance, done.run, done.probe, done.outcome) == ("web", 1, ProbeKind.LIVENESS, Outcome.DISCARDED)
    assert "bug in the liveness probe of web" in caplog.text
