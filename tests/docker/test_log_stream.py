"""The output of real containers, each line once: killed at any instant, both streams, long lines, and the end."""

from __future__ import annotations

import gc
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import docker
import pytest
from docker.types import LogConfig

from stigmer_pm.runtime.containers.engine_log import EngineLogs
from stigmer_pm.runtime.containers.log_stream import LogStream
from stigmer_pm.runtime.containers.trouble import EngineRefusal

from .engine import Dockerd
from .images import BUSYBOX

#: Follows a container in a process of its own, which can be killed.
FOLLOWER = """
import sys, threading, docker
from stigmer_pm.runtime.containers.engine_log import EngineLogs
from stigmer_pm.runtime.containers.log_stream import LogStream
host, container, log, position = sys.argv[1:]
over = threading.Event()
client = docker.APIClient(base_url=host, version="1.41")
LogStream(EngineLogs(client), container, log, position, lambda error: over.set()).start()
print("follows", flush=True)
over.wait()
"""

#: Prints a number about every millisecond, by turns on both streams, and now and then a line of 40,000 bytes.
COUNTER = """
i=0
long=$(head -c 40000 /dev/zero | tr '\\0' x)
while [ $i -lt 6000 ]; do
  echo "out $i"; echo "err $i" >&2
  [ $((i % 500)) = 0 ] && echo "long $i $long"
  [ $((i % 20)) = 0 ] && usleep 10000
  i=$((i + 1))
done
printf 'the end'
"""

Run = Callable[..., str]


@pytest.fixture
def client(docker_host: str) -> Iterator[docker.APIClient]:
    """The engine."""
    with closing(docker.APIClient(base_url=docker_host, version="1.41")) as client:
        yield client


@pytest.fixture
def run(client: docker.APIClient) -> Iterator[Run]:
    """Starts a container with a program for the shell; its id."""
    made: list[str] = []

    def run(program: str, driver: str = "json-file") -> str:
        settings = client.create_host_config(network_mode="none", log_config=LogConfig(type=driver))
        made.append(client.create_container(BUSYBOX, ["sh", "-c", program], host_config=settings)["Id"])
        client.start(made[-1])
        return made[-1]

    yield run
    for container in made:
        with suppress(docker.errors.NotFound):
            client.remove_container(container, force=True)


def copy(client: docker.APIClient, container: str, folder: Path) -> Exception | None:
    """Follow a container to its end; the error of that."""
    over = threading.Event()
    errors: list[Exception | None] = []

    def on_end(error: Exception | None) -> None:
        errors.append(error)
        over.set()

    stream = LogStream(EngineLogs(client), container, str(folder / "log"), str(folder / "position"), on_end)
    stream.start()
    assert over.wait(120)
    return errors[0]


def test_killed_at_random_instants_each_line_is_there_once(
    docker_host: str, client: docker.APIClient, run: Run, tmp_path: Path
) -> None:
    """SIGKILL to the process that copies, again and again while two streams print about a thousand lines a second."""
    container = run(COUNTER)
    kills = 0
    while client.inspect_container(container)["State"]["Running"]:
        paths = [str(tmp_path / "log"), str(tmp_path / "position")]
        command = [sys.executable, "-c", FOLLOWER, docker_host, container, *paths]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as follower:
            assert follower.stdout is not None
            follower.stdout.readline()
            time.sleep(random.uniform(0, 0.3))  # noqa: S311 - an instant, no secret
            follower.send_signal(signal.SIGKILL)
        kills += 1
    assert copy(client, container, tmp_path) is None
    found = (tmp_path / "log").read_bytes()
    assert found == client.logs(container, stdout=True, stderr=True)
    for name in ("out", "err"):
        # A line of standard error may come between the pieces of a long one, as the engine has it.
        numbers = re.findall(rf"{name} (\d+)\n", found.decode())
        assert numbers == [str(number) for number in range(6000)]
    assert found.endswith(b"the end")
    assert kills  # more, the faster the machine is


@pytest.mark.parametrize("driver", ["json-file", "local"])
def test_what_is_printed_last_without_a_newline_is_there(
    client: docker.APIClient, run: Run, tmp_path: Path, driver: str
) -> None:
    """An engine doesn't tell it to those who follow (moby#43860)."""
    for number in range(5):
        container = run(f"usleep {number}0000; seq 1 1000; printf end", driver)
        folder = tmp_path / str(number)
        assert copy(client, container, folder) is None
        assert (folder / "log").read_bytes() == b"".join(b"%d\n" % line for line in range(1, 1001)) + b"end"


def test_the_next_run_of_a_container_is_appended(client: docker.APIClient, run: Run, tmp_path: Path) -> None:
    """The engine keeps the output of all runs in one log, and what is copied is copied."""
    container = run("seq 1 3")
    assert copy(client, container, tmp_path) is None
    client.start(container)
    assert copy(client, container, tmp_path) is None
    assert copy(client, container, tmp_path) is None
    assert (tmp_path / "log").read_bytes() == b"1\n2\n3\n" * 2


def test_a_container_without_a_readable_log_says_so(client: docker.APIClient, run: Run, tmp_path: Path) -> None:
    """With the log driver none there is nothing to copy."""
    error = copy(client, run("sleep 60", "none"), tmp_path)
    assert isinstance(error, EngineRefusal)
    assert error.status == 501
    assert "logging driver does not support reading" in str(error)


def test_a_container_that_is_gone_says_so(client: docker.APIClient, run: Run, tmp_path: Path) -> None:
    """Somebody has removed it."""
    container = run("true")
    client.remove_container(container, force=True)
    error = copy(client, container, tmp_path)
    assert isinstance(error, EngineRefusal)
    assert error.status == 404


def test_lines_come_while_the_container_runs_and_close_is_quick(
    client: docker.APIClient, run: Run, tmp_path: Path
) -> None:
    """A stream that waits for a silent container is closed at once, and another goes on there."""
    container = run("echo one; while [ ! -e /go ]; do usleep 10000; done; echo two")
    log = tmp_path / "log"
    stream = LogStream(EngineLogs(client), container, str(log), str(tmp_path / "position"), lambda _: None)
    stream.start()
    _wait_for(lambda: log.exists() and log.read_bytes() == b"one\n")
    began = time.monotonic()
    stream.close(10)
    assert time.monotonic() - began < 1
    client.exec_start(client.exec_create(container, ["touch", "/go"])["Id"])
    assert copy(client, container, tmp_path) is None
    assert log.read_bytes() == b"one\ntwo\n"


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the SDK leaks a socket that finds nobody
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_stream_goes_on_when_the_engine_has_come_back(own_engine: Dockerd, tmp_path: Path, end: str) -> None:
    """Whether it was stopped, and its containers with it, or has crashed."""
    program = "i=0; while :; do echo line $i; i=$((i + 1)); [ $((i % 10)) = 0 ] && usleep 1000; done"
    with closing(docker.APIClient(base_url=own_engine.host, version="1.41")) as client:
        settings = client.create_host_config(network_mode="none")
        command = ["sh", "-c", program]
        container = client.create_container(BUSYBOX, command, host_config=settings, stop_signal="SIGKILL")["Id"]
        client.start(container)
        ended = threading.Thread(target=copy, args=(client, container, tmp_path))
        ended.start()
        _wait_for(lambda: (tmp_path / "log").exists() and (tmp_path / "log").stat().st_size > 10_000)
        getattr(own_engine, end)()
        ended.join(30)
        assert not ended.is_alive()
        own_engine.start()
        with suppress(docker.errors.APIError):
            client.kill(container)
        client.wait(container)
        assert copy(client, container, tmp_path) is None
        assert (tmp_path / "log").read_bytes() == client.logs(container, stdout=True, stderr=True)
    del ended
    gc.collect()


def _wait_for(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.01)
