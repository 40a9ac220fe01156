"""Runs of real processes under a runtime, where something fails around them or is not what it seems."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from stigmer_pm.runtime import system, table
from stigmer_pm.runtime.census import Census, Marks
from stigmer_pm.runtime.leftovers import Watch
from stigmer_pm.runtime.marked_environment import MarkedEnvironment
from stigmer_pm.runtime.process import ProcessRuntime
from stigmer_pm.runtime.reaper import Reaper
from stigmer_pm.spec import ProcessExecution
from tests.project import HEADLESS, eventually

MARK = "STIGMER_PM_RUN"


class Told:
    """What a runtime has told."""

    def __init__(self) -> None:
        self.exits: list[tuple[str, int, int | None, bool]] = []
        self.empty: list[tuple[str, int]] = []

    def exited(self, instance: str, run: int, status: int | None, remaining: bool) -> None:
        self.exits.append((instance, run, status, remaining))

    def emptied(self, instance: str, run: int) -> None:
        self.empty.append((instance, run))


class Stage:
    """A runtime on a loop of its own, in this very process; ``key`` is the project's."""

    def __init__(self, folder: Path, key: str) -> None:
        self.told = Told()
        self.loop = asyncio.get_running_loop()
        self.reaper = Reaper(self.loop)
        self.runtime = ProcessRuntime(self.loop, self.reaper, self.told, key=key, base_environment=os.environ)
        self._log = str(folder / "run.log")

    def start(self, *argv: str, run: int = 1) -> int:
        """Start a run of ``a``; its pid."""
        execution = ProcessExecution(argv=argv, working_dir="/", environment={}, log=self._log)
        return self.runtime.start("a", run, execution).pid

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the loop turn until it holds."""
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Callable[[Stage], Awaitable[None]]], None]:
    """Have a coroutine play on a stage, in a process of its own: it collects children, and becomes a subreaper."""

    def play(coroutine: Callable[[Stage], Awaitable[None]]) -> None:
        key = os.urandom(8).hex()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                asyncio.run(_play(coroutine, tmp_path, key))
                status = 0
            except BaseException:  # noqa: BLE001 (told below)
                import traceback

                (tmp_path / "failure").write_text(traceback.format_exc())
            finally:
                os._exit(status)
        try:
            ended = eventually(lambda: [s for done, s in [os.waitpid(pid, os.WNOHANG)] if done], "the scene has ended")
        except AssertionError:
            os.kill(pid, signal.SIGKILL)
            raise
        for left in Census(MARK).marked().items():
            if left[1].startswith(key):
                os.kill(left[0], signal.SIGKILL)
        assert ended == [0], (tmp_path / "failure").read_text()

    return play


async def _play(coroutine: Callable[[Stage], Awaitable[None]], folder: Path, key: str) -> None:
    system.become_subreaper()
    stage = Stage(folder, key)
    stage.reaper.start()
    await coroutine(stage)


Play = Callable[[Callable[[Stage], Awaitable[None]]], None]


@contextmanager
def _no_descriptors() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def _ends(pid: int) -> bool:
    return table.started(pid) is None


def test_a_program_whose_first_thread_has_ended_lives() -> None:
    """The kernel shows it as a zombie, and its environment only by its other threads."""
    with subprocess.Popen(
        [sys.executable, "-c", HEADLESS], start_new_session=True, env={MARK: "key/a/1"}, stdout=subprocess.PIPE
    ) as process:
        try:
            eventually(lambda: b"Z" in Path(f"/proc/{process.pid}/stat").read_bytes().rpartition(b")")[2].split()[:1])
            started = table.started(process.pid)
            assert started is not None
            marks = Marks(MARK, "key/a/1", 0)
            census = Census(MARK)
            assert census.tree(census.roots(marks)) == [process.pid]
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert table.started(process.pid) is None


def test_what_fails_after_the_fork_fails_no_start(play: Play) -> None:
    """Or another run would be started beside it. When it began is read as soon as that can be."""

    async def scene(stage: Stage) -> None:
        real = table.read_row

        def fail(pid: int) -> None:
            raise OSError(errno.ENFILE, "too many open files in system")

        table.read_row = fail
        try:
            pid = stage.start("sleep", "1000")
            await asyncio.sleep(0.02)
        finally:
            table.read_row = real
        watch = stage.runtime._watches["a", 1]
        await stage.until(lambda: watch.marks.leader_started)
        stage.runtime.kill("a", 1)
        await stage.until(lambda: stage.told.exits)
        assert stage.told.exits == [("a", 1, signal.SIGKILL, False)]
        assert _ends(pid)

    play(scene)


def test_a_stranger_with_the_pid_of_an_adopted_leader_is_not_killed(play: Play) -> None:
    """The leader ended while the supervisor was suspended; the first thing after it is a kill that was due."""

    async def scene(stage: Stage) -> None:
        with subprocess.Popen(["sleep", "1000"], start_new_session=True) as stranger:
            dead = subprocess.Popen(["true"])
            pidfd = os.pidfd_open(dead.pid)
            dead.wait()
            watch = Watch("a", 1, Marks(MARK, "none/a/1", stranger.pid, 1), is_child=False)
            watch.pidfds[stranger.pid] = pidfd
            stage.runtime._watches["a", 1] = watch
            stage.loop.add_reader(pidfd, stage.runtime._adopted._ended, watch, stranger.pid)
            stage.runtime.kill("a", 1)
            await stage.until(lambda: stage.told.exits)
            assert stranger.poll() is None
            stage.reaper.close()
            stranger.kill()

    play(scene)


def test_one_that_tells_nothing_of_itself_is_ended_with_what_it_has_started(play: Play) -> None:
    """It has emptied its environment and left the session; a child of it carries the mark."""
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0:\n"
        "        os.execvp('sleep', ['sleep', '1001'])\n"
        "    os.setsid()\n"
        "    os.execve('/bin/sleep', ['sleep', '1002'], {})\n"
        "time.sleep(0.3)\n"
        "os._exit(3)\n"
    )

    async def scene(stage: Stage) -> None:
        stage.start(sys.executable, "-c", code)
        await stage.until(lambda: stage.told.exits)
        assert stage.told.exits == [("a", 1, 3 << 8, True)]
        left = table.own_children()
        assert len(left) == 1
        stage.runtime.kill("a", 1)
        await stage.until(lambda: stage.told.empty)
        assert _ends(left[0])
        assert not Census(MARK).with_mark(stage.runtime._environment.mark_of("a", 1))

    play(scene)


def test_an_end_is_told_though_nothing_can_be_watched(play: Play) -> None:
    """The kernel has no room for another descriptor that is waited for (ENOSPC of epoll)."""

    async def scene(stage: Stage) -> None:
        def fail(*args: object) -> None:
            raise OSError(errno.ENOSPC, "no space left on device")

        pid = stage.start("sh", "-c", "sleep 1000 & exit 3")
        stage.loop.add_reader = fail  # type: ignore[assignment]
        await stage.until(lambda: stage.told.exits)
        assert stage.told.exits == [("a", 1, 3 << 8, True)]
        stage.runtime.kill("a", 1)
        await stage.until(lambda: stage.told.empty)
        assert _ends(pid)

    play(scene)


def test_the_end_of_an_adopted_leader_is_looked_into_later_while_no_descriptor_is_free(play: Play) -> None:
    """Its own descriptor says that it has ended, and goes on saying so: the loop never rested, and wrote a traceback
    each time, some ten thousand a second."""

    async def scene(stage: Stage) -> None:
        bugs: list[object] = []
        looks: list[int] = []

        def fail(pid: int) -> None:
            looks.append(pid)
            raise OSError(errno.EMFILE, "too many open files")

        stage.loop.set_exception_handler(lambda loop, context: bugs.append(context))
        leader = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        marks = Marks(MARK, "none/a/1", leader.pid, table.started(leader.pid) or 0)
        watch = stage.runtime._watches["a", 1] = Watch("a", 1, marks, is_child=False)
        assert stage.runtime._adopted.wait(watch)
        real, status = table.read_row, system.exit_status_of
        table.read_row, system.exit_status_of = fail, lambda pidfd: None
        try:
            leader.kill()
            await stage.until(lambda: len(looks) > 3)
        finally:
            table.read_row, system.exit_status_of = real, status
        assert bugs == []
        await stage.until(lambda: stage.told.exits)

    play(scene)


def test_a_stop_signal_is_sent_though_no_descriptor_is_free(play: Play) -> None:
    """To a group, for which nothing needs to be looked up."""

    async def scene(stage: Stage) -> None:
        stage.start("sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done")
        await stage.until(lambda: Path(stage._log).read_text() == "ready\n")
        with _no_descriptors():
            stage.runtime.signal("a", 1, signal.SIGTERM)
        await stage.until(lambda: stage.told.exits)
        assert stage.told.exits[0][2] == 7 << 8

    play(scene)


def test_what_was_stopped_to_be_killed_is_killed_when_the_search_fails(play: Play) -> None:
    """And the search is tried again."""

    async def scene(stage: Stage) -> None:
        pid = stage.start("sh", "-c", "setsid sleep 1000 & echo ready; exec sleep 1001")
        await stage.until(lambda: Path(stage._log).read_text() == "ready\n")
        real, calls = system.send_signal, []

        def send(pid: int, number: int) -> bool:
            calls.append(number)
            if len(calls) == 2:
                raise OSError(errno.EMFILE, "too many open files")
            return real(pid, number)

        system.send_signal = send
        try:
            stage.runtime.kill("a", 1)
            await stage.until(lambda: stage.told.exits)
            if stage.told.exits[0][3]:
                await stage.until(lambda: stage.told.empty)
        finally:
            system.send_signal = real
        assert _ends(pid)
        assert not Census(MARK).with_mark(stage.runtime._environment.mark_of("a", 1))

    play(scene)


def test_the_session_of_a_dead_leader_is_not_trusted_once_nothing_was_in_it(play: Play) -> None:
    """Its number is given to somebody else then, and a job of his is none of ours."""

    async def scene(stage: Stage) -> None:
        pid = stage.start("sh", "-c", "setsid sleep 1000 & exit 0")
        await stage.until(lambda: stage.told.exits)
        assert stage.told.exits[0][3]
        watch = stage.runtime._watches["a", 1]
        # The pid of the leader is given out again: to one that leads a session, leaves a job in it, and goes.
        done = subprocess.run(
            ["setsid", "sh", "-c", "sleep 1002 >/dev/null 2>&1 & echo $$ $!"], stdout=-1, text=True, check=True
        )
        session, job = map(int, done.stdout.split())
        watch.marks = replace(watch.marks, leader=session)
        assert pid != session
        try:
            stage.runtime.kill("a", 1)
            await stage.until(lambda: stage.told.empty)
            assert not _ends(job)
        finally:
            with suppress(ProcessLookupError):
                os.kill(job, signal.SIGKILL)

    play(scene)


@pytest.mark.parametrize("rest", ["", "a", "a/", "/1", "a/x", "../../x/7", "a/" + "9" * 19, "a/¹", "a b/1", "a/1\n"])
def test_a_mark_that_nobody_here_has_given_is_of_no_run(rest: str) -> None:
    """Any process of this user may carry any mark."""
    environment = MarkedEnvironment("key", {})
    assert environment.run_of(f"key/{rest}") is None
    assert environment.run_of("other/a/1") is None
    assert environment.run_of(environment.mark_of("a.b-c_d", 12)) == ("a.b-c_d", 12)
