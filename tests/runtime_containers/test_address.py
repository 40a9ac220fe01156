"""Which engine is meant: the rules of the docker command."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from stigmer_pm.runtime.containers.address import USUAL, BadContext, EngineAddress, engine_address


def context(home: Path, name: str, host: str, *, tls: bool = False, skip: bool = False) -> None:
    """Write a docker context as ``docker context create`` does."""
    identity = hashlib.sha256(name.encode()).hexdigest()
    folder = home / ".docker" / "contexts"
    (folder / "meta" / identity).mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": skip}
    document = {"Name": name, "Endpoints": {"docker": endpoint}}
    (folder / "meta" / identity / "meta.json").write_text(json.dumps(document))
    if tls:
        (folder / "tls" / identity / "docker").mkdir(parents=True)


def choose(home: Path, name: str) -> None:
    """``docker context use``."""
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": name}))


def test_without_anything_it_is_the_usual_socket(tmp_path: Path) -> None:
    """A local one."""
    found = engine_address({"HOME": str(tmp_path)})
    assert found == EngineAddress(USUAL)
    assert found.is_local
    assert found.socket == "/var/run/docker.sock"


def test_docker_host_wins_over_every_context(tmp_path: Path) -> None:
    """And an empty one is none."""
    context(tmp_path, "far", "tcp://far:2376")
    choose(tmp_path, "far")
    home = {"HOME": str(tmp_path)}
    assert engine_address({**home, "DOCKER_HOST": "unix:///x.sock", "DOCKER_CONTEXT": "far"}).url == "unix:///x.sock"
    assert engine_address({**home, "DOCKER_HOST": ""}).url == "tcp://far:2376"


def test_docker_context_wins_over_the_one_in_use(tmp_path: Path) -> None:
    """``default`` is the usual socket."""
    context(tmp_path, "far", "tcp://far:2376")
    context(tmp_path, "near", "unix:///near.sock")
    choose(tmp_path, "far")
    home = {"HOME": str(tmp_path)}
    assert engine_address({**home, "DOCKER_CONTEXT": "near"}).url == "unix:///near.sock"
    assert engine_address({**home, "DOCKER_CONTEXT": "default"}).url == USUAL


def test_tls_is_that_of_the_environment_or_of_the_context(tmp_path: Path) -> None:
    """``DOCKER_TLS_VERIFY`` with ``DOCKER_CERT_PATH``, or the files beside the context."""
    home = {"HOME": str(tmp_path), "DOCKER_HOST": "tcp://far:2376"}
    assert engine_address(home).certificates is None
    assert engine_address({**home, "DOCKER_TLS_VERIFY": "1"}).certificates == str(tmp_path / ".docker")
    assert engine_address({**home, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/c"}).certificates == "/c"
    context(tmp_path, "safe", "tcp://safe:2376", tls=True, skip=True)
    found = engine_address({"HOME": str(tmp_path), "DOCKER_CONTEXT": "safe"})
    assert found.certificates is not None
    assert found.certificates.endswith("/docker")
    assert not found.verifies


def test_a_context_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    """The usual socket would be another engine than the one that was meant."""
    with pytest.raises(BadContext, match="'gone'"):
        engine_address({"HOME": str(tmp_path), "DOCKER_CONTEXT": "gone"})


def test_a_damaged_configuration_is_none(tmp_path: Path) -> None:
    """As docker itself goes on without it."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text("{")
    assert engine_address({"HOME": str(tmp_path)}).url == USUAL
