"""The state folder and its lock, where others remove the one and ask for the other at the same time."""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from stigmer_pm.runtime import system
from stigmer_pm.supervisor import private_folder
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.home import Busy, Home


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where a state folder may be made."""
    return str(tmp_path / "project" / ".stigmer")


@contextmanager
def no_room() -> Iterator[None]:
    """Files can be made, and nothing can be written into them."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def at_nap(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], None]) -> None:
    """While somebody waits for the lock, this happens. Time passes only by naps."""
    began, naps = system.now(), [0.0]

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == number + 1:
            act()

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(system, "now", lambda: began + sum(naps))


def test_the_lock_of_a_folder_that_is_gone_is_no_lock(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A is refused and removes its new folder while B waits for its lock; C makes it anew. Only C may have it."""
    a, others = Home(folder), []

    def refuse_a_and_begin_c() -> None:
        a.withdraw()
        a.close()
        assert not os.path.exists(folder)
        others.append(Home(folder))

    at_nap(monkeypatch, 1, refuse_a_and_begin_c)
    with pytest.raises(Busy):
        Home(folder)
    with closing(others[0]) as c:
        assert c.is_in_place()


def test_a_folder_that_goes_away_while_its_lock_is_waited_for_is_made_anew(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two in a row, of which the first is refused."""
    a = Home(folder)

    def refuse_a() -> None:
        a.withdraw()
        a.close()

    at_nap(monkeypatch, 1, refuse_a)
    with closing(Home(folder)) as b:
        assert b.is_in_place()
        assert os.stat(folder).st_mode & 0o777 == 0o700
        assert sorted(os.listdir(folder)) == [".gitignore", "logs", "pids", "supervisor.lock"]


def test_who_waits_for_the_lock_of_one_that_has_a_record_does_not_take_its_folder_away(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not there when it looked first, and is no less another's for that."""
    others: list[Home] = []

    def make_private(path: str, is_ours: Callable[[int], bool]) -> None:
        if not others:
            others.append(Home.__new__(Home))  # the other one is inside already, and doesn't come here again
            others[0] = Home(folder)
            Path(folder, "state.db").touch()
        private_folder.make_private(path, is_ours)

    monkeypatch.setattr("stigmer_pm.supervisor.home.make_private", make_private)

    def end_the_other() -> None:
        others[0].close()

    at_nap(monkeypatch, 1, end_the_other)
    with closing(Home(folder)) as b:
        b.withdraw()
    assert Path(folder, "state.db").exists()


def test_whoever_asks_whether_it_is_locked_turns_nobody_away(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands ask by a shared lock, each for a moment, and several may do so in a row."""
    Home(folder).close()
    asking = os.open(os.path.join(folder, "supervisor.lock"), os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH | fcntl.LOCK_NB)
    at_nap(monkeypatch, 15, lambda: os.close(asking))
    Home(folder).close()


def test_who_is_turned_away_is_told_why(folder: str) -> None:
    """The words go into the log of a supervisor that finds another one in its place."""
    with closing(Home(folder)):
        with pytest.raises(Busy) as caught:
            Home(folder)
        assert str(caught.value) == "another supervisor has locked it"


def test_a_folder_can_be_made_anew_where_nothing_can_be_written(folder: str) -> None:
    """The lock is what counts. What can't be hidden from git now is hidden the next time."""
    with closing(Home(folder)) as ours:
        shutil.rmtree(folder)
        with no_room():
            ours.move_back_in()
            assert ours.is_in_place()
            assert not os.path.exists(os.path.join(folder, ".gitignore"))
        with pytest.raises(Busy):
            Home(folder)
    with closing(Home(folder)):
        assert Path(folder, ".gitignore").read_text() == "*\n"


def test_who_could_not_move_back_in_has_not_locked_itself_out(folder: str) -> None:
    """It is tried again, and works when it can."""
    with closing(Home(folder)) as ours:
        shutil.rmtree(folder)
        os.mkdir(folder, 0o700)
        Path(folder, "logs").touch()
        for _ in range(3):
            with pytest.raises(Refused, match="file exists"):
                ours.move_back_in()
        os.unlink(os.path.join(folder, "logs"))
        ours.move_back_in()
        assert ours.is_in_place()
