"""What is said of the logs of processes that are moved, deleted or exchanged under them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stigmer_pm.runtime.log_watch import LogWatch

Begin = Callable[[Path], int]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts a process that writes to a log."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(log: Path, command: str = "exec sleep 1000") -> int:
        with log.open("ab") as file:
            processes.append(subprocess.Popen(["sh", "-c", command], stdout=file, stderr=file))
        return processes[-1].pid

    yield start
    for process in processes:
        process.kill()
        process.wait()


class Watched:
    """One run, and what is said of its log."""

    def __init__(self, log: Path, pid: int) -> None:
        self.log, self.pid, self.watch = log, pid, LogWatch()

    def look(self) -> list[str]:
        return [words for *_, words in self.watch.look([("web", 1, self.pid, str(self.log))])]


@pytest.fixture
def web(tmp_path: Path, begin: Begin) -> Watched:
    """A run whose log has been looked at, and is there."""
    log = tmp_path / "web.log"
    watched = Watched(log, begin(log))
    assert watched.look() == []
    return watched


def test_a_log_that_is_there_is_nothing_to_tell(web: Watched) -> None:
    """Whatever else comes and goes beside it."""
    (web.log.parent / "web.log.1").touch()
    assert web.look() == []


def test_a_log_that_was_deleted_is_told_once(web: Watched) -> None:
    """And not again."""
    web.log.unlink()
    assert web.look() == ["was deleted"]
    (web.log.parent / "other").touch()
    assert web.look() == []


@pytest.mark.parametrize("name", ["web.log.1", "web.log-20261128", "old"])
def test_a_log_that_was_renamed_with_another_in_its_place_is_told(web: Watched, name: str) -> None:
    """logrotate's default (``create``): the file of its name is not the one that is written to."""
    moved = web.log.rename(web.log.parent / name)
    web.log.touch()
    assert web.look() == [f"was moved to '{moved}'"]


def test_a_log_that_was_renamed_and_deleted_is_told(web: Watched) -> None:
    """logrotate with ``compress``: every line since then is lost."""
    moved = web.log.rename(web.log.parent / "old")
    web.log.touch()
    moved.unlink()
    assert web.look() == [f"was moved to '{moved}' and deleted"]


def test_a_log_that_was_replaced_is_told(web: Watched) -> None:
    """``mv other web.log``, and editors that write so."""
    (web.log.parent / "other").touch()
    (web.log.parent / "other").rename(web.log)
    assert web.look() == ["was deleted"]


def test_a_log_that_was_emptied_is_still_there(web: Watched) -> None:
    """logrotate's ``copytruncate``."""
    web.log.write_bytes(b"")
    (web.log.parent / "web.log.1").touch()
    assert web.look() == []


def test_a_log_reached_by_a_link_is_told_as_deleted(tmp_path: Path, begin: Begin) -> None:
    """By the name that it has itself."""
    log = tmp_path / "web.log"
    log.symlink_to(tmp_path / "real.log")
    web = Watched(log, begin(log))
    assert web.look() == []
    (tmp_path / "real.log").unlink()
    log.unlink()
    assert web.look() == ["was deleted"]


@pytest.mark.parametrize("name", ["web.log.1", "web.log-20261128"])
@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_log_that_was_rotated_before_the_first_look_is_told_by_its_name(
    tmp_path: Path, begin: Begin, name: str, is_deleted: bool
) -> None:
    """As to a supervisor that comes after that."""
    log = tmp_path / "web.log"
    web = Watched(log, begin(log))
    moved = log.rename(tmp_path / name)
    log.touch()
    if is_deleted:
        moved.unlink()
    assert web.look() == [f"was moved to '{moved}'{' and deleted' if is_deleted else ''}"]


def test_one_that_writes_elsewhere_by_itself_is_nothing_to_tell(tmp_path: Path, begin: Begin) -> None:
    """Its log is there, and empty."""
    log = tmp_path / "web.log"
    web = Watched(log, begin(log))
    (tmp_path / "mine").touch()
    pid = begin(tmp_path / "mine")
    web.pid = pid
    assert web.look() == []


def test_the_log_of_a_run_is_that_of_its_start(web: Watched) -> None:
    """The file may name another one, which the next run writes to."""
    found = [*web.watch.look([("web", 1, web.pid, str(web.log.parent / "other.log"))])]
    assert found == []
    assert [*web.watch.look([("web", 1, web.pid, str(web.log.parent / "sub" / "other.log"))])] == []
    web.log.unlink()
    assert [words for *_, words in web.watch.look([("web", 1, web.pid, "/none/other.log")])] == ["was deleted"]


def test_one_that_opens_its_log_anew_has_one_again(tmp_path: Path, begin: Callable[[Path, str], int]) -> None:
    """Of what it wrote to before nothing is told any more."""
    log, go = tmp_path / "web.log", tmp_path / "go"
    subprocess.run(["mkfifo", go], check=True)
    web = Watched(log, begin(log, f"read x < {go}; exec >>{log} 2>&1; echo new; exec sleep 1000"))
    assert web.look() == []
    moved = log.rename(tmp_path / "old")
    log.touch()
    go.write_text("go\n")
    while not log.read_text():
        pass
    assert web.look() == []
    moved.unlink()
    assert web.look() == []
