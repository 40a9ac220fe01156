"""The images of the tests, on an engine: ``python -m tests.docker.images unix:///path/docker.sock`` makes them by hand.

There is no registry behind the tests, so they are imported from file systems that are made of what this machine has.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, suppress

import docker

from .engine import EngineError, connect
from .rootfs import busybox_tree, python_tree

#: Busybox, whose command is a shell. ``forever`` is a program that does nothing and obeys SIGTERM.
BUSYBOX = "stigmer-test/busybox:1"
#: The same with ``python3``.
PYTHON = "stigmer-test/python:1"
#: Busybox that is healthy when there is a file ``/healthy``.
HEALTH = "stigmer-test/health:1"
#: Busybox with a volume at ``/data``, and SIGINT as its STOPSIGNAL.
VOLUME = "stigmer-test/volume:1"
#: Busybox under the name that stigmer.yaml.example has.
EXAMPLE = "busybox:1.36"


def make(host: str, names: Sequence[str] = (BUSYBOX, PYTHON, HEALTH, VOLUME, EXAMPLE)) -> None:
    """Make those that the engine doesn't have yet.

    Raises:
        EngineError: this machine lacks what they are made of.
    """
    if shutil.which("busybox") is None:
        raise EngineError("busybox is not installed, of which the images of the tests are made")
    with closing(connect(host)) as client:
        for name in names:
            with suppress(docker.errors.ImageNotFound):
                client.images.get(name)
                continue
            _MAKERS[name](client, name)


def _busybox(client: docker.DockerClient, name: str) -> None:
    _import(client, name, busybox_tree().tar(), 'CMD ["sh"]')


def _python(client: docker.DockerClient, name: str) -> None:
    _import(client, name, python_tree().tar(), 'CMD ["python3"]', "ENV PYTHONUNBUFFERED=1")


def _health(client: docker.DockerClient, name: str) -> None:
    check = "HEALTHCHECK --interval=1s --timeout=5s --retries=1 CMD test -e /healthy && echo all is well"
    _import(client, name, busybox_tree().tar(), 'CMD ["forever"]', check)


def _volume(client: docker.DockerClient, name: str) -> None:
    # An import knows no STOPSIGNAL; a build does, and needs nothing but the image that it starts from.
    _busybox(client, name)
    client.images.build(fileobj=io.BytesIO(f"FROM {name}\nVOLUME /data\nSTOPSIGNAL SIGINT\n".encode()), tag=name)


_MAKERS: dict[str, Callable[[docker.DockerClient, str], None]] = {
    BUSYBOX: _busybox,
    PYTHON: _python,
    HEALTH: _health,
    VOLUME: _volume,
    EXAMPLE: _busybox,
}


def _import(client: docker.DockerClient, name: str, tar: bytes, *changes: str) -> None:
    repository, _, tag = name.rpartition(":")
    client.api.import_image_from_data(tar, repository, tag, changes=list(changes))


if __name__ == "__main__":
    make(sys.argv[1])
