"""The thread around the copying: it ends once, can be closed at any time, and waits without waking."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from queue import Empty, Queue

import pytest

from stigmer_pm.runtime.containers import log_copy, log_stream
from stigmer_pm.runtime.containers.log_copy import LogCopy
from stigmer_pm.runtime.containers.log_file import LogUnwritable
from stigmer_pm.runtime.containers.log_stream import LogStream
from stigmer_pm.runtime.containers.trouble import EngineRefusal
from tests.project import eventually
from tests.runtime_containers.fake_log import Printed

LINES = [Printed(1, at * 10**9, b"line %d\n" % at) for at in range(10)]


def written(log: Path) -> bytes:
    """What is in a log; nothing while there is none."""
    return log.read_bytes() if log.exists() else b""


class FakeReader:
    """An answer that the test writes."""

    def __init__(self) -> None:
        self.arrived: Queue[bytes | Exception] = Queue()
        self.waits: list[float | None] = []
        self.is_closed = False

    def read(self, timeout_s: float | None) -> bytes | None:
        self.waits.append(timeout_s)
        try:
            data = self.arrived.get(timeout=timeout_s)
        except Empty:
            return None
        if isinstance(data, Exception):
            raise data
        return data

    def interrupt(self) -> None:
        self.arrived.put(ConnectionError("interrupted"))

    def close(self) -> None:
        self.is_closed = True

    def print(self, *printed: Printed) -> None:
        self.arrived.put(b"".join(one.frame for one in printed))

    def end(self) -> None:
        self.arrived.put(b"")


class FakeEngine:
    """Answers with readers that the test holds: ``answers[0]`` follows, ``answers[1]`` is the look back at the end."""

    def __init__(self, *answers: FakeReader | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int | None, bool]] = []

    def open_log(self, container_id: str, since: int | None, follow: bool) -> FakeReader:
        self.asked.append((container_id, since, follow))
        answer = self.answers[len(self.asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Ends:
    """How a stream has ended."""

    def __init__(self) -> None:
        self.errors: list[Exception | None] = []
        self.has_come = threading.Event()

    def __call__(self, error: Exception | None) -> None:
        self.errors.append(error)
        self.has_come.set()

    def one(self) -> Exception | None:
        assert self.has_come.wait(10)
        (error,) = self.errors
        return error


@pytest.fixture
def ends() -> Ends:
    """Told of the end."""
    return Ends()


@pytest.fixture
def start(tmp_path: Path, ends: Ends) -> Iterator[Callable[[FakeEngine], LogStream]]:
    """Starts streams into ``log``, and closes them in the end."""
    streams: list[LogStream] = []

    def start(engine: FakeEngine) -> LogStream:
        streams.append(LogStream(engine, "c0ffee", str(tmp_path / "log"), str(tmp_path / "state" / "position"), ends))
        streams[-1].start()
        return streams[-1]

    yield start
    for stream in streams:
        stream.close()


Start = Callable[[FakeEngine], LogStream]


def test_everything_is_written_and_then_the_end_is_told(tmp_path: Path, start: Start, ends: Ends) -> None:
    """``None``: the engine has delivered everything."""
    follow, back = FakeReader(), FakeReader()
    engine = FakeEngine(follow, back)
    follow.print(*LINES)
    follow.end()
    back.print(*LINES, Printed(1, 10 * 10**9, b"without a newline"))
    back.end()
    start(engine)
    assert ends.one() is None
    assert (tmp_path / "log").read_bytes() == b"".join(one.content for one in LINES) + b"without a newline"
    assert [follow for _, _, follow in engine.asked] == [True, False]
    assert follow.is_closed
    assert back.is_closed


def test_a_line_is_in_the_file_as_soon_as_it_has_come(tmp_path: Path, start: Start) -> None:
    """Nothing waits for more."""
    follow = FakeReader()
    start(FakeEngine(follow))
    for number, line in enumerate(LINES):
        follow.print(line)
        eventually(partial(_has_lines, tmp_path / "log", number + 1))


def _has_lines(log: Path, number: int) -> bool:
    return written(log).count(b"\n") == number


def test_an_idle_stream_sleeps_for_ever_once_its_position_is_kept(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One wait with an end after the last output, and from then on none."""
    monkeypatch.setattr(log_copy, "_SAVE_WITHIN", 0.01)
    follow = FakeReader()
    start(FakeEngine(follow))
    follow.print(*LINES[:3])
    eventually(lambda: len(follow.waits) >= 3 and follow.waits[-1] is None)
    assert follow.waits[0] is None
    assert len(follow.waits) <= 4  # one more when the write takes longer than the position may wait
    assert LINES[2].stamp in (tmp_path / "state" / "position").read_bytes()


@pytest.mark.parametrize(
    "error", [ConnectionError("broken"), EngineRefusal(500, "internal"), RuntimeError("a bug")], ids=repr
)
def test_a_stream_that_breaks_tells_why(tmp_path: Path, start: Start, ends: Ends, error: Exception) -> None:
    """What has come is in the file, and the position kept."""
    follow = FakeReader()
    follow.print(*LINES[:2])
    follow.arrived.put(error)
    start(FakeEngine(follow))
    assert ends.one() is error
    assert (tmp_path / "log").read_bytes() == b"line 0\nline 1\n"
    ends.has_come.clear()
    ends.errors.clear()
    again, back = FakeReader(), FakeReader()
    again.print(*LINES)
    again.end()
    back.end()
    start(FakeEngine(again, back))
    assert ends.one() is None
    assert (tmp_path / "log").read_bytes() == b"".join(one.content for one in LINES)


def test_an_engine_that_refuses_is_told(start: Start, ends: Ends) -> None:
    """Log drivers that can't be read, containers that are gone."""
    error = EngineRefusal(501, "configured logging driver does not support reading")
    start(FakeEngine(error))
    assert ends.one() is error


def test_an_answer_that_ends_within_an_entry_has_broken(start: Start, ends: Ends) -> None:
    """An end in good order comes after a whole entry."""
    follow = FakeReader()
    follow.arrived.put(LINES[0].frame[:-1])
    follow.end()
    start(FakeEngine(follow))
    assert isinstance(ends.one(), ConnectionError)


def test_what_the_engine_complains_about_is_told_at_the_end(tmp_path: Path, start: Start, ends: Ends) -> None:
    """What could be read of a damaged log is copied."""
    follow = FakeReader()
    follow.arrived.put(bytes([3, 0, 0, 0, 0, 0, 0, 6]) + b"Error\n" + LINES[0].frame)
    follow.end()
    start(FakeEngine(follow))
    assert str(ends.one()) == "Error"
    assert (tmp_path / "log").read_bytes() == b"line 0\n"


def test_a_log_that_can_not_be_opened_ends_the_stream(tmp_path: Path, start: Start, ends: Ends) -> None:
    """And the engine isn't even asked."""
    (tmp_path / "log").mkdir()
    engine = FakeEngine()
    start(engine)
    assert isinstance(ends.one(), LogUnwritable)
    assert engine.asked == []


def test_a_position_that_can_not_be_kept_ends_the_stream(tmp_path: Path, start: Start, ends: Ends) -> None:
    """Without one a death would double everything."""
    (tmp_path / "state").write_text("no folder")
    start(FakeEngine())
    assert isinstance(ends.one(), LogUnwritable)
    assert "position" in str(ends.one())


def test_close_returns_at_once_and_keeps_the_position(tmp_path: Path, start: Start, ends: Ends) -> None:
    """A read that waits for the engine is interrupted, and nobody is told of an end."""
    follow = FakeReader()
    stream = start(FakeEngine(follow))
    follow.print(*LINES[:2])
    eventually(lambda: written(tmp_path / "log") == b"line 0\nline 1\n")
    stream.close(10)
    stream.close()
    follow.print(*LINES[2:])
    assert follow.is_closed
    assert b'"offset": 14' in (tmp_path / "state" / "position").read_bytes()
    assert ends.errors == []


def test_close_while_the_engine_does_not_answer_leaves_the_thread_to_itself(tmp_path: Path, start: Start) -> None:
    """And it writes nothing when the answer comes."""
    asked, answers = threading.Event(), threading.Event()
    follow = FakeReader()
    follow.print(*LINES)

    class SlowEngine(FakeEngine):
        def open_log(self, container_id: str, since: int | None, follow: bool) -> FakeReader:
            asked.set()
            answers.wait(10)
            return super().open_log(container_id, since, follow)

    stream = start(SlowEngine(follow))
    assert asked.wait(10)
    stream.close(0.01)
    answers.set()
    eventually(lambda: follow.is_closed)
    assert (tmp_path / "log").read_bytes() == b""


def test_what_comes_after_close_is_not_written(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when a read could not be interrupted, and nobody waited for it."""
    follow = FakeReader()
    monkeypatch.setattr(follow, "interrupt", lambda: None)
    stream = start(FakeEngine(follow))
    eventually(lambda: follow.waits)
    stream.close(0.01)
    follow.print(*LINES)
    eventually(lambda: follow.is_closed)
    assert (tmp_path / "log").read_bytes() == b""


def test_a_stream_may_be_closed_from_its_own_callback(tmp_path: Path) -> None:
    """Whoever is told of the end may want to let go of it at once."""
    closed = threading.Event()

    def on_end(_: Exception | None) -> None:
        stream.close()
        closed.set()

    stream = LogStream(FakeEngine(EngineRefusal(404, "")), "c0ffee", str(tmp_path / "log"), str(tmp_path / "p"), on_end)
    stream.start()
    assert closed.wait(10)


def test_a_full_disk_holds_the_stream_up_and_ends_nothing(
    tmp_path: Path, start: Start, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine keeps what can't be written; when there is room again all of it is written."""
    monkeypatch.setattr(log_stream, "_TRY_AGAIN", 0.01)
    is_full = threading.Event()
    is_full.set()
    write = os.write

    def write_or_fail(descriptor: int, data: memoryview) -> int:
        if is_full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(log_stream, "LogCopy", partial(LogCopy, write=write_or_fail))
    follow, back = FakeReader(), FakeReader()
    follow.print(*LINES)
    follow.end()
    back.end()
    stream = start(FakeEngine(follow, back))
    eventually(lambda: stream.stalled_by is not None)
    is_full.clear()
    assert ends.one() is None
    assert stream.stalled_by is None
    assert (tmp_path / "log").read_bytes() == b"".join(one.content for one in LINES)


def test_close_while_the_disk_is_full_goes_on_there_later(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write that was cut short is completed by the next stream."""
    write, has_written = os.write, threading.Event()

    def write_a_bit(descriptor: int, data: memoryview) -> int:
        if has_written.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        has_written.set()
        return write(descriptor, data[:10])

    monkeypatch.setattr(log_stream, "LogCopy", partial(LogCopy, write=write_a_bit))
    follow = FakeReader()
    follow.print(*LINES)
    stream = start(FakeEngine(follow))
    eventually(lambda: stream.stalled_by is not None)
    stream.close(10)
    assert (tmp_path / "log").read_bytes() == b"line 0\nlin"
    monkeypatch.setattr(log_stream, "LogCopy", partial(LogCopy, write=write))
    again = FakeReader()
    again.print(*LINES)
    start(FakeEngine(again))
    eventually(lambda: written(tmp_path / "log") == b"".join(one.content for one in LINES))
