"""Times, sizes and tables as people read them, and what a display says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.cli.errors import CliError
from stigmer_pm.cli.matching import matching
from stigmer_pm.cli.screen.amounts import bytes_words, seconds_words
from stigmer_pm.cli.screen.live import LiveDisplay
from stigmer_pm.cli.screen.outcome import report_unwell, summary
from stigmer_pm.cli.screen.phases import COLORS
from stigmer_pm.cli.screen.progress import watch
from stigmer_pm.cli.screen.table import aligned
from stigmer_pm.client import Outcome
from stigmer_pm.client.requests import Progress
from stigmer_pm.client.streams import messages
from stigmer_pm.core.state import Phase

from . import documents
from .terminals import terminal, written


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.001, "1ms"),
        (0.25, "250ms"),
        (0.9994, "999ms"),
        (0.9996, "1s"),
        (12, "12s"),
        (125, "2m5s"),
        (3600, "1h"),
        (11400, "3h10m"),
        (1051200, "12d4h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    """And no space, so that it is one column."""
    assert seconds_words(seconds) == words


@pytest.mark.parametrize(("size", "words"), [(512, "512B"), (23461888, "22.4M"), (157286400, "150M"), (2**31, "2.0G")])
def test_a_size_is_in_units_of_1024(size: int, words: str) -> None:
    """One decimal while it says something."""
    assert bytes_words(size) == words


@given(st.floats(0, 1e12), st.integers(0, 2**60))
def test_amounts_are_one_short_word(seconds: float, size: int) -> None:
    """Whatever the number."""
    assert " " not in seconds_words(seconds)
    assert " " not in bytes_words(size)
    assert len(bytes_words(size)) <= 10


def test_columns_stand_below_each_other() -> None:
    """Numbers to the right, words to the left, nothing behind the last."""
    assert aligned([("A", "N", "WHY"), ("long", "12", ""), ("x", "3", "so")], right=frozenset({1})) == [
        "A      N  WHY",
        "long  12",
        "x      3  so",
    ]


def test_every_phase_has_its_colour() -> None:
    """One that is added must get one."""
    assert set(COLORS) == {phase.value for phase in Phase}


def test_a_summary_counts_how_each_ended() -> None:
    """What was asked for comes first."""
    outcome = Outcome(
        False,
        False,
        [
            documents.standing("a", "lost", "failed"),
            documents.standing("b"),
            documents.standing("c", "reached", "completed"),
            documents.standing("d", "lost", "backoff"),
        ],
    )
    assert summary(outcome, "ready") == "1 component ready, 1 completed, 1 failed, 1 in backoff"
    assert summary(outcome, "ready", nothing_changed=True).startswith("nothing changed, 1 ready, ")
    assert summary(Outcome(True, False, []), "ready") == "nothing to do"


def test_the_live_display_shows_what_is_not_there_yet_and_goes_away() -> None:
    """Names, phases and reasons of the pending, and a count of the rest."""
    where = terminal(is_terminal=True)
    display = LiveDisplay(where, "ready")
    try:
        display.show([documents.standing("web"), documents.standing("db", "pending", "waiting", reason="for web")])
        display.refresh()
    finally:
        display.close()
    text = written(where.err)
    assert "db" in text
    assert "for web" in text
    assert "1 of 2 settled" in text


def test_that_one_is_ready_is_said_once() -> None:
    """Whatever else becomes of it meanwhile, such as a liveness probe that fails once; a new run is news."""
    where = terminal()
    steps: list[Progress | Outcome] = [
        Progress([documents.standing("web"), documents.standing("db", "pending", "starting")]),
        Progress([documents.standing("web", reason="liveness probe fails once: timed out")]),
        Progress([documents.standing("web", "pending", "starting")]),
        Progress([documents.standing("web", pid=13)]),
        Outcome(True, False, []),
    ]
    watch(where, steps, "ready")
    lines = written(where.err).splitlines()
    assert lines == ["web: ready (pid 12)", "db: starting", "web: starting", "web: ready (pid 13)"]


def test_one_that_is_given_up_on_is_told_once_while_others_are_waited_for() -> None:
    """Its further attempts say the same; that it has come up after all would be news."""
    where = terminal()
    lost = {"state": "lost", "phase": "backoff"}
    steps: list[Progress | Outcome] = [
        Progress([documents.standing("db", "pending", "starting")]),
        Progress([documents.standing("web", **lost, reason="not found (1 failed run in a row)")]),
        Progress([documents.standing("web", "pending", "starting")]),
        Progress([documents.standing("web", **lost, reason="not found (2 failed runs in a row)")]),
        Progress([documents.standing("web")]),
        Outcome(True, False, []),
    ]
    watch(where, steps, "ready")
    lines = written(where.err).splitlines()
    assert lines == ["db: starting", "web: backoff, not found (1 failed run in a row)", "web: ready (pid 12)"]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_what_had_to_be_killed_is_said_by_the_stop_that_did_it(is_terminal: bool) -> None:
    """And by none later, which finds it stopped."""
    where = terminal(is_terminal=is_terminal)
    killed = {"reason": "stopped by hand; had to be killed (SIGKILL) after its stop_timeout"}
    deaf = documents.standing("deaf", phase="stopped", **killed)
    before = documents.standing("before", phase="stopped", **killed)
    obeys = documents.standing("obeys", phase="stopped", reason="stopped by hand")
    under_way = [documents.standing(name, "pending", "stopping") for name in ("deaf", "obeys")]
    watch(where, [Progress([before, *under_way]), Outcome(True, False, [deaf, before, obeys])], "stopped")
    (warning,) = [line for line in written(where.err).splitlines() if "warning" in line]
    assert warning.endswith("did not end within stop_timeout and had to be killed (SIGKILL): deaf")


def test_the_report_says_once_what_others_wait_for() -> None:
    """The reason stands with the one whose it is."""
    where = terminal()
    web = documents.standing("web", "lost", "waiting", reason="waits for db, which can't be started: 'pg' not found")
    db = documents.standing("db", "lost", "backoff", reason="'pg' not found (2 failed runs in a row)", log=None)
    report_unwell(where, Outcome(False, False, [web, db]), "ready", None)
    assert written(where.err).splitlines() == [
        "web: waiting, waits for db, which can't be started",
        "db: backoff, 'pg' not found (2 failed runs in a row); the supervisor keeps trying",
    ]


def test_a_long_reason_takes_no_room_from_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom it is about is what one looks for first."""
    monkeypatch.setenv("COLUMNS", "80")
    where = terminal(is_terminal=True)
    display = LiveDisplay(where, "ready")
    try:
        display.show([documents.standing("web-server-1", "pending", "running", reason="broken " * 40)])
        display.refresh()
    finally:
        display.close()
    assert "web-server-1  running  broken broken" in written(where.err)


def test_a_stream_of_events_is_read_whatever_its_line_ends_are() -> None:
    """A last message that was cut off is left out."""
    lines = [b"event: a\r\n", b"data: {}\r\n", b"\r\n", b'data: {"x": 1}\n', b"\n", b"event: cut\n", b'data: {"y"']
    assert list(messages(lines)) == [("a", {}), ("message", {"x": 1})]


def test_names_patterns_and_labels_choose_together() -> None:
    """In the order of the file; a label narrows what was named."""
    known: dict[str, dict[str, str]] = {"web-1": {"tier": "front"}, "db": {}, "web-2": {"tier": "back"}}
    assert matching((), (), known) == ["web-1", "db", "web-2"]
    assert matching(("web-*",), (), known) == ["web-1", "web-2"]
    assert matching(("db", "web-*"), [("tier", "back")], known) == ["web-2"]
    with pytest.raises(CliError, match="no component has the label tier=none"):
        matching((), [("tier", "none")], known)
    with pytest.raises(CliError, match="did you mean 'web-"):
        matching(("db", "web"), (), known)
