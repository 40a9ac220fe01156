"""A probe of a container that can't be asked says nothing about it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stigmer_pm.core.probing import Outcome
from stigmer_pm.spec import ContainerExecution, ProbeKind, ProbeSpec, TcpCheck
from stigmer_pm.supervisor.container_probes import ContainerProbe


class Containers:
    """A runtime whose engine is away, or which knows of no address."""

    def __init__(self, *, silence: str = "", is_found: bool = False) -> None:
        self.link = SimpleNamespace(silence=silence)
        self._is_found = is_found

    def is_found(self, instance: str, run: int) -> bool:
        return self._is_found

    def has_ended(self, instance: str, run: int) -> bool:
        return False

    def endpoint(self, instance: str, run: int, port: int) -> None:
        return None


def ask(kind: ProbeKind, containers: Containers) -> Any:
    """One attempt of a tcp probe."""
    execution = ContainerExecution("busybox", "p-web", "p", "/log")
    spec = ProbeSpec(kind, tcp=TcpCheck(80))
    probe = ContainerProbe(spec, cast(Any, containers), "web", 1, execution, cast(Any, None), 0)
    return asyncio.run(probe.check())


@pytest.mark.parametrize("kind", [ProbeKind.LIVENESS, ProbeKind.STARTUP])
def test_a_container_that_is_not_found_again_yet_is_not_restarted_for_it(kind: ProbeKind) -> None:
    """A supervisor that begins while the engine is away must not end everything once it is back."""
    result = ask(kind, Containers(silence="the engine is away"))
    assert (result.outcome, result.output) == (Outcome.DISCARDED, "the engine is away")
    assert ask(kind, Containers()).outcome is Outcome.DISCARDED


def test_it_is_not_ready_meanwhile() -> None:
    """Nobody can use it."""
    assert ask(ProbeKind.READINESS, Containers()).outcome is Outcome.FAILURE


def test_one_without_an_address_fails_with_what_to_do() -> None:
    """``networks: [none]``, and no published port."""
    result = ask(ProbeKind.LIVENESS, Containers(is_found=True))
    assert result.outcome is Outcome.FAILURE
    assert "publish the port" in result.output
