"""What is read from an inspection, and from events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.core.state import Exit
from stigmer_pm.runtime.containers.outsiders import REMOVED, take_event, who_ended
from stigmer_pm.runtime.containers.seen import exit_of, nanoseconds, published_ports, read
from stigmer_pm.runtime.containers.watch import Watch
from stigmer_pm.spec import ComponentSpec, ContainerExecution

NEVER = "0001-01-01T00:00:00Z"


def inspected(**state: Any) -> dict[str, Any]:
    """A document of ``docker inspect``, as far as it is read."""
    return {"Id": "abc", "State": {"StartedAt": NEVER, **state}}


def watch(stop_timeout: float = 10.0) -> Watch:
    """A run."""
    execution = ContainerExecution("busybox", "p-web", "p", "/log")
    spec = ComponentSpec("web", container=execution, stop_timeout=stop_timeout)
    return Watch("web", 1, spec, execution)


def event(action: str, **attributes: str) -> dict[str, Any]:
    """One of the engine's events."""
    return {"Action": action, "Actor": {"ID": "abc", "Attributes": attributes}}


@given(st.integers(0, 2**33), st.integers(0, 999_999_999))
def test_times_are_read_to_the_nanosecond(seconds: int, fraction: int) -> None:
    """With as many digits as the engine writes."""
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    expected = seconds * 1_000_000_000 + fraction
    assert nanoseconds(f"{stamp}.{fraction:09d}Z") == expected
    assert nanoseconds(f"{stamp}Z") == seconds * 1_000_000_000


def test_times_of_other_zones_and_no_times() -> None:
    """An engine may write its own zone; the year 1 means never."""
    assert nanoseconds("1970-01-01T02:00:00.5+02:00") == 500_000_000
    assert nanoseconds("1969-12-31T23:30:00-00:30") == 0
    assert nanoseconds(NEVER) == nanoseconds("") == nanoseconds("rubbish") == 0


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, Exit(0)),
        (3, Exit(3)),
        (128, Exit(128)),
        (137, Exit(137, 9)),
        (143, Exit(143, 15)),
        (255, Exit(255)),
        (None, Exit()),
    ],
)
def test_a_status_over_128_is_a_death_by_signal(code: int | None, expected: Exit) -> None:
    """And is kept as well, for ``success_exit_codes``."""
    assert exit_of(code) == expected


def test_out_of_memory_is_nobody_elses_doing() -> None:
    """The kernel's SIGKILL comes with an event of the engine as well."""
    assert exit_of(137, out_of_memory=True, by="SIGKILL by somebody else") == Exit(137, 9, out_of_memory=True)


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (None, None),
        ({"Status": "none"}, None),
        ({"Status": "starting"}, False),
        ({"Status": "unhealthy", "Log": [{"Output": "no\n"}]}, False),
        ({"Status": "healthy", "Log": [{"Output": "no"}, {"Output": " yes \n"}]}, True),
    ],
)
def test_health(health: dict[str, Any] | None, expected: bool | None) -> None:
    """Only ``healthy`` passes; the newest output is the last."""
    seen = read(inspected(Health=health) if health is not None else inspected())
    assert seen.health is expected
    if health and "Log" in health:
        assert seen.health_output == health["Log"][-1]["Output"].strip()


def test_published_ports_are_shown_as_docker_shows_them() -> None:
    """One that is exposed and not published is none."""
    ports = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": None}  # noqa: S104
    assert published_ports({"NetworkSettings": {"Ports": ports}}) == ["0.0.0.0:8080->80/tcp"]
    assert published_ports({}) == []


def test_a_docker_stop_is_told_by_its_name() -> None:
    """The signal comes first, then the death, then what was asked for."""
    run = watch()
    assert not take_event(run, event("kill", signal="15"), 0.0)
    assert who_ended(run, 1.0) == "SIGTERM by somebody else"
    assert take_event(run, event("die", exitCode="143"), 1.0)
    take_event(run, event("stop"), 1.0)
    assert (run.told_code, who_ended(run, 1.0)) == (143, "docker stop by somebody else")


def test_a_removal_is_told_by_its_name() -> None:
    """``docker rm -f``."""
    run = watch()
    for action in (event("kill", signal="9"), event("die", exitCode="137"), event("destroy")):
        take_event(run, action, 0.0)
    assert who_ended(run, 0.0) == REMOVED


def test_our_own_signals_are_nobody_elses() -> None:
    """One event for each."""
    run = watch()
    run.own_signals = 1
    take_event(run, event("kill", signal="15"), 0.0)
    assert who_ended(run, 0.0) == ""
    take_event(run, event("kill", signal="9"), 0.0)
    assert who_ended(run, 0.0) == "SIGKILL by somebody else"


def test_a_signal_that_ends_nothing_is_nobodys_doing() -> None:
    """A reload of an hour ago, or of just now."""
    run = watch()
    take_event(run, event("kill", signal="1"), 0.0)
    assert who_ended(run, 0.0) == ""
    take_event(run, event("kill", signal="15"), 0.0)
    assert who_ended(run, 3600.0) == ""


def test_a_long_stop_is_still_somebodys_doing() -> None:
    """One that has a minute to end."""
    run = watch(stop_timeout=60.0)
    take_event(run, event("kill", signal="15"), 0.0)
    assert who_ended(run, 59.0)


@pytest.mark.parametrize("action", ["pause", "unpause", "oom", "health_status: healthy", "start", "destroy"])
def test_what_is_worth_a_look(action: str) -> None:
    """All that an inspection would show."""
    assert take_event(watch(), event(action), 0.0)
