"""What people read of an engine's errors and of a pull, and where a probe is sent."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from stigmer_pm.core.reasons import words
from stigmer_pm.runtime.containers import endpoint
from stigmer_pm.runtime.containers.address import EngineAddress
from stigmer_pm.runtime.containers.images import Progress
from stigmer_pm.runtime.containers.making import refusal_words
from stigmer_pm.runtime.containers.trouble import EngineRefusal, EngineSilence, explain, silence_words

LOCAL = EngineAddress("unix:///run/docker.sock")
FAR = EngineAddress("tcp://far:2375")


def wrapped(error: OSError) -> Exception:
    """As requests and urllib3 hand it on: the cause stands in an argument."""
    return RuntimeError("Error while fetching server API version", ConnectionError("Connection aborted.", error))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOENT, "no Docker engine is at unix:///run/docker.sock"),
        (errno.ECONNREFUSED, "does not run; start it"),
        (errno.EACCES, "no permission"),
        (errno.ECONNRESET, "has gone away"),
    ],
)
def test_why_an_engine_is_not_reached(number: int, expected: str) -> None:
    """The cause is found however deep it lies, and what to do stands beside it."""
    assert expected in silence_words(wrapped(OSError(number, "words of the kernel")), LOCAL)


def test_an_engine_that_is_ending_is_away_and_has_refused_nothing() -> None:
    """What it says then is nobody's fault."""
    import docker.errors

    ending = docker.errors.APIError("500 Server Error", explanation="containerd.sock: connect: connection refused")
    assert isinstance(explain(ending, LOCAL), EngineSilence)
    refusal = explain(docker.errors.APIError("x", explanation="no space left on device"), LOCAL)
    assert isinstance(refusal, EngineRefusal)
    assert refusal.message == "no space left on device"
    assert explain(ZeroDivisionError(), LOCAL) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "driver failed programming external connectivity on endpoint web (abc): Bind for 0.0.0.0:8080 failed: port "
            "is already allocated",
            "the port 8080 is taken by something else on this machine",
        ),
        (
            'failed to create task for container: OCI runtime create failed: exec: "serve": executable file not found '
            "in $PATH: unknown",
            "'serve' can't be executed in the image: executable file not found in $path",
        ),
        ("Conflict. The name is odd", "conflict. The name is odd"),
        ("OCI runtime failed", "OCI runtime failed"),
    ],
)
def test_a_refusal_without_the_layers_it_went_through(message: str, expected: str) -> None:
    """The end of a long line is what matters."""
    assert refusal_words(message).lower() == expected.lower()


def test_the_progress_of_a_pull() -> None:
    """All layers together; one that is there already is none."""
    progress = Progress("redis:7")

    def say(status: str, layer: str = "", **detail: int) -> str:
        return words(progress.take({"status": status, "id": layer, "progressDetail": detail}))

    assert say("Pulling from library/redis") == "pulling redis:7"
    assert say("Already exists", "a") == "pulling redis:7"
    assert say("Downloading", "b", current=1_000_000, total=4_000_000) == "pulling redis:7: 25% of 4.0 MB"
    assert say("Downloading", "c", current=0, total=4_000_000) == "pulling redis:7: 12% of 8.0 MB"
    assert say("Download complete", "b") == "pulling redis:7: 50% of 8.0 MB"
    assert say("Extracting", "b", current=1, total=2) == "pulling redis:7: 50% of 8.0 MB"


def details(*, mode: str = "shop-default", address: str = "", published: str = "") -> dict[str, Any]:
    """An inspection."""
    places = [{"HostIp": "0.0.0.0", "HostPort": published}] if published else None  # noqa: S104
    return {
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": {"shop-default": {"IPAddress": address}}, "Ports": {"80/tcp": places}},
    }


def test_where_a_probe_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The container's address from here, the published port from afar, the machine itself, or nowhere."""
    (tmp_path / "docker.sock").touch()
    local = EngineAddress(f"unix://{tmp_path}/docker.sock")
    monkeypatch.setattr(endpoint, "_reaches_containers", lambda address: address is local)
    both = details(address="172.17.0.2", published="8080")
    assert endpoint.find(both, 80, local) == ("172.17.0.2", 80)
    assert endpoint.find(both, 80, FAR) == ("far", 8080)
    assert endpoint.find(details(published="8080"), 80, local) == ("127.0.0.1", 8080)
    assert endpoint.find(details(mode="host"), 80, local) == ("127.0.0.1", 80)
    assert endpoint.find(details(mode="host"), 80, FAR) == ("far", 80)
    assert endpoint.find(details(mode="none"), 80, local) is None
    assert endpoint.find(details(address="172.17.0.2"), 80, FAR) is None
