"""Fixtures of the tests that need a Docker engine.

The engine is the one at ``STIGMER_PM_TEST_DOCKER_HOST``, or else one that is started for the run. Without either, the
tests are skipped; with ``STIGMER_PM_REQUIRE_DOCKER=1`` every one of them fails instead.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import docker
import pytest
import requests.exceptions

from . import images
from .engine import Dockerd, EngineError, connect, lacking
from .keeper import SharedEngine
from .project import DockerProject, make_docker_project
from .registry import Registry, running_registry

_GIVEN = "STIGMER_PM_TEST_DOCKER_HOST"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder; the hook is told of the tests of all folders."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.docker)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder that all workers of this run share, and no other run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if hasattr(request.config, "workerinput") else base


@pytest.fixture(scope="session")
def docker_host(run_folder: Path) -> Iterator[str]:
    """The address of an engine that has the images of the tests; all tests of a run share it."""
    with _engine_of_the_run(run_folder) as (host, reason):
        if lack := reason or _make_images(host, run_folder):
            _go_without(lack)
        yield host


@pytest.fixture
def project(docker_host: str) -> Iterator[DockerProject]:
    """A project of its own; a process, container or network that outlives its ``down`` fails the test."""
    yield from make_docker_project(docker_host)


@pytest.fixture
def own_engine() -> Iterator[Dockerd]:
    """An engine that the test may stop, kill and start again; it has the image ``images.BUSYBOX`` alone."""
    if reason := lacking():
        _go_without(reason)
    engine = Dockerd()
    try:
        engine.start()
        images.make(engine.host, [images.BUSYBOX])
        yield engine
    finally:
        engine.close()


@pytest.fixture
def own_project(own_engine: Dockerd) -> Iterator[DockerProject]:
    """A project on that engine."""
    for project in make_docker_project(own_engine.host):
        yield project
        # The project has to be ended on an engine that answers.
        if not own_engine.is_running:
            own_engine.start()


@pytest.fixture
def registry(docker_host: str) -> Iterator[Registry]:
    """A registry with an image that nobody has pulled yet."""
    with running_registry() as found:
        yield found
        with closing(connect(docker_host)) as client, suppress(docker.errors.APIError):
            client.images.remove(found.image, force=True)


@contextmanager
def _engine_of_the_run(run_folder: Path) -> Iterator[tuple[str, str]]:
    """Its address; or why there is none."""
    if given := os.environ.get(_GIVEN):
        yield given, ""
        return
    if reason := lacking():
        yield "", reason
        return
    shared = SharedEngine(run_folder)
    try:
        found = shared.acquire(), ""
    except EngineError as error:
        found = "", str(error)
    yield found
    shared.release()


def _make_images(host: str, run_folder: Path) -> str:
    """Make the images unless another worker did; why that failed."""
    with (run_folder / "docker.images").open("w") as mutex:
        fcntl.flock(mutex, fcntl.LOCK_EX)
        try:
            images.make(host)
        except (EngineError, docker.errors.DockerException, requests.exceptions.RequestException) as error:
            return f"{host}: {error}"
    return ""


def _go_without(reason: str) -> NoReturn:
    if os.environ.get("STIGMER_PM_REQUIRE_DOCKER") == "1":
        pytest.fail(f"no Docker engine, and STIGMER_PM_REQUIRE_DOCKER=1 demands one: {reason}", pytrace=False)
    if os.environ.get(_GIVEN):
        pytest.fail(f"no Docker engine, but {_GIVEN} names one: {reason}", pytrace=False)
    pytest.skip(f"no Docker engine: {reason}")
