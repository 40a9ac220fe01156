"""What the tests of containers stand on: the engine, its images, the registry."""

from __future__ import annotations

import io
import tarfile

import docker
import pytest

from ..project import eventually
from . import images
from .engine import Dockerd, connect
from .project import DockerProject
from .registry import Registry


def test_the_images_of_the_tests_run(project: DockerProject) -> None:
    """Busybox, and a Python that has what the tests' programs import."""
    runs = project.client.containers.run
    assert runs(images.BUSYBOX, ["echo", "hello"], remove=True) == b"hello\n"
    program = "import http.server, json, signal; print(json.dumps([1, 2]))"
    assert runs(images.PYTHON, ["python3", "-c", program], remove=True) == b"[1, 2]\n"
    assert project.client.images.get(images.VOLUME).attrs["Config"]["StopSignal"] == "SIGINT"
    assert project.client.images.get(images.HEALTH).attrs["Config"]["Healthcheck"]["Interval"] == 10**9


def test_an_engine_of_ones_own_comes_back_after_a_kill_with_what_it_had(own_engine: Dockerd) -> None:
    """Its images and containers are there again."""
    client = connect(own_engine.host)
    try:
        container = client.containers.run(images.BUSYBOX, ["forever"], detach=True)
        own_engine.kill()
        own_engine.start()
        container.reload()
        assert container.status == "exited"
        own_engine.stop()
        own_engine.start()
        assert client.images.get(images.BUSYBOX).tags == [images.BUSYBOX]
    finally:
        client.close()


def version(project: DockerProject, image: str) -> bytes:
    """What stands in the file ``/version`` of an image."""
    container = project.client.containers.create(image)
    try:
        packed = io.BytesIO(b"".join(container.get_archive("/version")[0]))
    finally:
        container.remove()
    with tarfile.open(fileobj=packed) as tar:
        content = tar.extractfile("version")
        assert content is not None
        return content.read()


def test_an_image_comes_from_the_registry(project: DockerProject, registry: Registry) -> None:
    """An engine pulls it and runs it, and one that the registry doesn't have is an error."""
    project.client.images.pull(registry.image)
    assert version(project, registry.image) == b"first"
    registry.publish("second")
    project.client.images.pull(registry.image)
    assert version(project, registry.image) == b"second"
    assert registry.pulls == 2
    with pytest.raises(docker.errors.NotFound, match="manifest unknown"):
        project.client.images.pull(registry.image.replace("test/image", "test/other"))
    registry.is_broken = True
    with pytest.raises(docker.errors.APIError, match="500"):
        project.client.images.pull(registry.image)


def test_a_slow_pull_is_cut_when_its_client_leaves(project: DockerProject, registry: Registry) -> None:
    """It reports its progress until then, and the registry notices."""
    registry.slow_down()
    steps = project.client.api.pull(registry.image, stream=True, decode=True)
    assert next(step for step in steps if step.get("progressDetail"))["status"] == "Downloading"
    steps.close()
    project.client.close()
    eventually(lambda: registry.cut_layers > 0, "the registry's layer is cut")
