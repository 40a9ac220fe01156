"""The log handler: a line of this run's log that matches."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from pathlib import Path

import pytest

from stigmer_pm.probes import CheckResult, Outcome, ProbeContext, run_check
from stigmer_pm.spec import LogCheck, ProbeKind, ProbeSpec

from .real_spawner import RealSpawner


class Log:
    """A log, and the attempts of one probe on it."""

    def __init__(self, path: Path, pattern: str, begin: int = 0) -> None:
        self.path = path
        self._probe = ProbeSpec(ProbeKind.STARTUP, log=LogCheck(pattern), timeout=5.0)
        self._context = ProbeContext({}, "/", RealSpawner(), log=str(path), log_from=begin)

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def ask(self) -> CheckResult:
        return asyncio.run(run_check(self._probe, self._context))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An empty log."""
    found = tmp_path / "web.log"
    found.touch()
    return found


def test_a_pipe_in_the_place_of_the_log_keeps_nobody_waiting(path: Path) -> None:
    """A component may have put it there; nothing else would happen in the supervisor until somebody writes into it."""
    path.unlink()
    os.mkfifo(path)
    assert Log(path, "x").ask() == CheckResult(Outcome.FAILURE, f"cannot read '{path}': it is no file")


def test_it_fails_until_the_line_is_there_and_passes_from_then_on(path: Path) -> None:
    """Also when much is written afterwards."""
    log = Log(path, "listening on [0-9]+")
    log.write(b"starting\n")
    assert log.ask() == CheckResult(Outcome.FAILURE, "no line of this run's log matches 'listening on [0-9]+' yet")
    log.write(b"12:00 listening on 8080\n")
    expected = CheckResult(Outcome.SUCCESS, "the log says: 12:00 listening on 8080")
    assert log.ask() == expected
    log.write(b"busy\n" * 1000)
    assert log.ask() == expected


def test_what_an_earlier_run_has_written_does_not_count(path: Path) -> None:
    """A run begins where the log ended when it was started."""
    path.write_bytes(b"ready\n")
    log = Log(path, "ready", begin=6)
    assert log.ask().outcome is Outcome.FAILURE
    log.write(b"ready\n")
    assert log.ask().outcome is Outcome.SUCCESS


def test_a_line_that_comes_in_pieces_is_found_when_it_is_whole(path: Path) -> None:
    """And a prompt that never ends counts as a line."""
    log = Log(path, "^now ready$")
    log.write(b"now re")
    assert log.ask().outcome is Outcome.FAILURE
    log.write(b"ady")
    assert log.ask().outcome is Outcome.SUCCESS


def test_a_line_deep_in_much_output_is_found(path: Path) -> None:
    """Across blocks, between lines that are long and no text."""
    log = Log(path, "needle")
    log.write(b"\xff\xfe\n" + (b"x" * 100_000 + b"\n") * 5 + b"the needle is here\n" + b"more\n" * 50_000)
    assert log.ask() == CheckResult(Outcome.SUCCESS, "the log says: the needle is here")


def test_a_log_that_was_cut_is_searched_from_its_beginning(path: Path) -> None:
    """Somebody has emptied it; what is in it now is new."""
    log = Log(path, "ready")
    log.write(b"x" * 1000 + b"\n")
    assert log.ask().outcome is Outcome.FAILURE
    path.write_bytes(b"ready\n")
    assert log.ask().outcome is Outcome.SUCCESS


def test_a_log_that_cannot_be_read_is_a_failure_in_words(tmp_path: Path) -> None:
    """And no bug."""
    log = Log(tmp_path / "none.log", "x")
    assert log.ask() == CheckResult(Outcome.FAILURE, f"cannot read '{tmp_path}/none.log': no such file or directory")


def test_what_is_told_of_the_line_is_short_and_printable(path: Path) -> None:
    """It goes to a terminal."""
    log = Log(path, "ready")
    log.write(b"\x1b[31mready " + b"y" * 1000 + b"\n")
    output = log.ask().output
    assert output.isprintable()
    assert len(output) < 230


@pytest.mark.parametrize("pattern", [r"(a+)+b$", r".*.*.*.*x", r"(\w+\s*)*:", r"(a|aa)+$"])
def test_a_pattern_that_takes_for_ever_fails_its_probe_and_hangs_nobody(path: Path, pattern: str) -> None:
    """30 characters were enough to keep the supervisor busy for minutes. The lines after it are searched."""
    log = Log(path, pattern)
    log.write(b"a" * 8000 + b"!\n")
    began = time.process_time()
    output = log.ask().output
    assert time.process_time() - began < 5
    assert output == (
        f"the pattern '{pattern}' takes too long on a line of the log, which is passed over; "
        "make it simpler, without a repetition in another"
    )
    log.write(b"a" * 8000 + b"!\naab\nx:\naa\n")
    assert log.ask().outcome is Outcome.SUCCESS


@pytest.mark.slow
@pytest.mark.parametrize("position", range(2, 8))
def test_a_line_is_not_passed_over_because_those_before_it_took_long(path: Path, position: int) -> None:
    """Each takes a third of the time that a search has, so that it ends in one of them, which is in time by itself."""
    log = Log(path, "(a|a)*b|ready")
    slow = b"a" * _length_that_takes("(a|a)*b|ready", 0.015)
    log.write((slow + b"\n") * position + slow + b" ready\n" + (slow + b"\n") * 2)
    assert log.ask() == CheckResult(Outcome.SUCCESS, f"the log says: {slow.decode()} ready")


def _length_that_takes(pattern: str, seconds: float) -> int:
    """How long a line of a's must be, so that the search of it takes about so much processor time."""
    for length in range(8, 40):
        began = time.process_time()
        re.search(pattern, "a" * length)
        if time.process_time() - began > seconds / 2:
            return length
    raise AssertionError("it never takes long")


def test_a_search_leaves_no_timer_behind(path: Path) -> None:
    """What comes after it is not interrupted, and who had the signal before has it again."""
    log = Log(path, "(a+)+b")
    log.write(b"a" * 5000 + b"\n")
    before = signal.getsignal(signal.SIGVTALRM)
    log.ask()
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) is before
