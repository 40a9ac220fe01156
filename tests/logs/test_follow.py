"""Following log files, whatever becomes of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stigmer_pm.logs import Follower


class Logs:
    """Two logs in a folder, and what a follower has told of them."""

    def __init__(self, folder: Path) -> None:
        self.paths = {"web": str(folder / "web.log"), "db": str(folder / "db.log")}
        self.follower: Follower | None = None
        self.troubles: list[str] = []

    def write(self, name: str, data: bytes) -> None:
        with open(self.paths[name], "ab") as file:
            file.write(data)

    def follow(self, lines: int = 0) -> None:
        self.follower = Follower(self.paths, lines, self._trouble)

    def _trouble(self, name: str, error: OSError) -> None:
        self.troubles.append(name)

    def is_behind(self) -> bool:
        return self.follower is not None and self.follower.is_behind

    def told(self) -> list[tuple[str, bytes]]:
        assert self.follower is not None
        return [(line.name, line.data) for line in self.follower.poll()]


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    """Nothing is written yet."""
    found = Logs(tmp_path)
    yield found
    if found.follower is not None:
        found.follower.close()


def test_the_last_lines_and_then_what_is_added(logs: Logs) -> None:
    """As ``tail -f``."""
    logs.write("web", b"one\ntwo\nthree\n")
    logs.follow(lines=2)
    assert logs.told() == [("web", b"two\n"), ("web", b"three\n")]
    assert logs.told() == []
    logs.write("web", b"four\n")
    assert logs.told() == [("web", b"four\n")]


def test_a_line_is_told_when_it_is_complete(logs: Logs) -> None:
    """A writer may need several writes for one."""
    logs.write("web", b"begun")
    logs.follow()
    logs.write("web", b" and")
    assert logs.told() == []
    logs.write("web", b" ended\nnext")
    assert logs.told() == [("web", b" and ended\n")]
    assert logs.follower is not None
    assert [line.data for line in logs.follower.rest()] == [b"next"]


def test_only_a_newline_ends_a_line(logs: Logs) -> None:
    """A carriage return, a form feed and bytes that are no text are part of it."""
    logs.follow()
    logs.write("web", b"a\rb\x0cc\xff\x85\n")
    assert logs.told() == [("web", b"a\rb\x0cc\xff\x85\n")]


def test_a_file_that_comes_later_is_told_from_its_beginning(logs: Logs) -> None:
    """The component was not started yet."""
    logs.follow(lines=5)
    assert logs.told() == []
    logs.write("db", b"ready\n")
    assert logs.told() == [("db", b"ready\n")]


def test_a_file_that_is_cut_is_told_from_its_new_beginning(logs: Logs) -> None:
    """Somebody has emptied it."""
    logs.write("web", b"long ago\n" * 10)
    logs.follow()
    Path(logs.paths["web"]).write_bytes(b"")
    assert logs.told() == []
    logs.write("web", b"new\n")
    assert logs.told() == [("web", b"new\n")]


def test_a_file_that_is_replaced_is_read_to_its_end_and_then_the_new_one(logs: Logs) -> None:
    """As logrotate does it; a last line without a newline is not lost."""
    logs.write("web", b"one\n")
    logs.follow()
    logs.write("web", b"two\nlast")
    Path(logs.paths["web"]).rename(logs.paths["web"] + ".1")
    logs.write("web", b"three\n")
    assert logs.told() == [("web", b"two\n"), ("web", b"last"), ("web", b"three\n")]


def test_a_file_that_floods_leaves_the_others_their_turn(logs: Logs) -> None:
    """And says that it is behind, so that nobody waits before the next look."""
    logs.follow()
    logs.write("web", b"x" * 99 + b"\n")
    for _ in range(14):
        data = Path(logs.paths["web"]).read_bytes()
        logs.write("web", data)
    logs.write("db", b"hello\n")
    assert ("db", b"hello\n") in logs.told()
    assert logs.is_behind()
    more = 0
    while logs.is_behind():
        more += len(logs.told())
    assert 0 < more < 2**14


def test_other_files_can_be_followed_from_a_point_that_is_told(logs: Logs, tmp_path: Path) -> None:
    """An edit has added a component, and moved the log of another; nothing of either is missed."""
    logs.write("web", b"old\n")
    logs.follow()
    logs.write("web", b"end of the old file\nand more")
    other = tmp_path / "other.log"
    other.write_bytes(b"run 1\nrun 2\n")
    assert logs.follower is not None
    moved = {"web": str(other), "db": logs.paths["db"]}
    assert [line.data for line in logs.follower.retarget(moved, {"web": 6})] == [b"end of the old file\n", b"and more"]
    assert logs.told() == [("web", b"run 2\n")]


def test_a_file_that_cannot_be_read_is_told_once_and_the_others_are_followed(logs: Logs) -> None:
    """Here a link to itself; it takes nothing from the others."""
    Path(logs.paths["db"]).symlink_to("db.log")
    logs.follow()
    logs.write("web", b"one\n")
    assert logs.told() == [("web", b"one\n")]
    logs.write("web", b"two\n")
    assert logs.told() == [("web", b"two\n")]
    assert logs.troubles == ["db"]


def test_a_file_that_cannot_be_read_can_be_let_go_of(logs: Logs) -> None:
    """Its component has been removed, say, or has another log now; a supervisor in front took that for a bug."""
    Path(logs.paths["db"]).symlink_to("db.log")
    logs.follow()
    assert logs.told() == []
    assert logs.follower is not None
    assert list(logs.follower.retarget({"web": logs.paths["web"]}, {})) == []
    logs.write("web", b"one\n")
    assert logs.told() == [("web", b"one\n")]
    assert logs.troubles == ["db"]


def test_what_is_no_file_has_no_lines(logs: Logs) -> None:
    """A pipe would keep whoever opens it waiting."""
    os.mkfifo(logs.paths["db"])
    logs.write("web", b"one\n")
    logs.follow(5)
    assert logs.told() == [("web", b"one\n")]
    assert logs.troubles == []
