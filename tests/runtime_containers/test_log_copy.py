"""Each line once: copying that is killed at every instant, on logs of every shape."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime_containers.fake_log import BEGIN, Life, Printed

SECOND = 10**9
PIECE = b"x" * 16384

#: Everything that makes it hard: both streams, equal timestamps, a long line with others in between, empty lines,
#: bytes of all kinds, quiet hours, and an end without a newline.
HARD = [
    Printed(1, 0, b"one\n"),
    Printed(2, 0, b"one\n"),
    Printed(1, 0, b"one\n"),
    Printed(1, 0, b"one\n"),
    Printed(1, 5, b"\n"),
    Printed(2, 3, b"\n"),
    Printed(1, 6 * SECOND, PIECE),
    Printed(2, 7 * SECOND, b"\x00\xff\r\n"),
    Printed(1, 6 * SECOND, PIECE),
    Printed(2, 300 * SECOND, b"later\n"),
    Printed(2, 300 * SECOND, b"later\n"),
    Printed(1, 6 * SECOND, b"end of a long line\n"),
    Printed(2, 300 * SECOND, b"later\n"),
    Printed(1, 7200 * SECOND, b"one\n"),
    Printed(1, 7200 * SECOND, b"without a newline"),
]


def text(printed: list[Printed]) -> bytes:
    """What has to be in the file."""
    return b"".join(one.content for one in printed)


@pytest.mark.parametrize("is_old", [True, False], ids=["engine 20", "engine 23"])
@pytest.mark.parametrize("clock_step", [0.0, 0.4, 1.0], ids=["never saved", "sometimes", "saved each time"])
@pytest.mark.parametrize("piece", [777, 64 * 1024])
@pytest.mark.slow
def test_killed_at_any_step_it_goes_on_exactly_there(
    tmp_path: Path, is_old: bool, clock_step: float, piece: int
) -> None:
    """After the death at any write or save, before it, in its midst or after it, the file becomes the stream."""
    life = Life(piece=piece, clock_step=clock_step, is_old=is_old)
    steps = 0
    for seen in range(len(HARD) + 1):
        for part in (0, 1, 7, 10**6):
            dies_at, was_killed = 0, True
            while was_killed:
                folder = tmp_path / f"{seen}-{part}-{dies_at}"
                was_killed = not replace(life, dies_at=dies_at, part=part).copy(HARD[:seen], folder)
                assert replace(life).copy(HARD, folder)
                assert (folder / "log").read_bytes() == text(HARD)
                dies_at, steps = dies_at + 1, steps + 1
    assert steps > 100


def test_an_idle_life_writes_nothing(tmp_path: Path) -> None:
    """Coming back again and again changes neither the log nor what is known of it."""
    assert Life().copy(HARD, tmp_path)
    position = (tmp_path / "position").read_bytes()
    again = Life()
    assert again.copy(HARD, tmp_path)
    assert again.steps == 0
    assert (tmp_path / "position").read_bytes() == position
    assert (tmp_path / "log").read_bytes() == text(HARD)


@st.composite
def logs(draw: st.DrawFn, *, goes_back: bool = False) -> list[Printed]:
    """What a container may print: within a stream timestamps don't go back (unless the clock is set back), and pieces
    of a long line have that of the first, whatever comes between."""
    printed: list[Printed] = []
    at = 3 * 3600 * SECOND
    open_since: dict[int, int] = {}
    for number in range(draw(st.integers(0, 14))):
        steps = [0, 0, 0, 1, SECOND, 9 * SECOND, 25 * SECOND, 3600 * SECOND]
        at += draw(st.sampled_from([*steps, -7 * SECOND, -1800 * SECOND] if goes_back else steps))
        stream = draw(st.sampled_from([1, 1, 2]))
        stamp = open_since.get(stream, at)
        if draw(st.integers(0, 3)) == 0:
            open_since[stream] = stamp
            printed.append(Printed(stream, stamp, PIECE))
            continue
        open_since.pop(stream, None)
        unique = b"%d" % number if draw(st.booleans()) else b""
        content = draw(st.sampled_from([b"same", b"", b"\0\xff\r", b"no newline"])) + unique
        printed.append(Printed(stream, stamp, content + (b"" if content == b"no newline" else b"\n")))
    return printed


LIVES = st.builds(
    Life,
    dies_at=st.none() | st.integers(0, 12),
    part=st.sampled_from([0, 1, 3, 16384, 10**6]),
    piece=st.sampled_from([1000, 16450, 64 * 1024]),
    clock_step=st.sampled_from([0.0, 0.3, 1.0]),
)


@given(logs(), st.lists(st.tuples(st.integers(0, 14), LIVES), max_size=4), st.booleans())
@settings(max_examples=400, deadline=None)
@pytest.mark.slow
def test_many_deaths_of_any_kind_double_and_lose_nothing(
    printed: list[Printed], lives: list[tuple[int, Life]], is_old: bool
) -> None:
    """Each life sees a bit more of the log; the last one is not killed."""
    with TemporaryDirectory() as name:
        seen = 0
        for more, life in lives:
            seen += more
            replace(life, is_old=is_old).copy(printed[:seen], Path(name))
        assert Life(is_old=is_old).copy(printed, Path(name))
        assert (Path(name) / "log").read_bytes() == text(printed)


@given(logs(goes_back=True), st.lists(st.tuples(st.integers(0, 14), LIVES), max_size=4))
@settings(max_examples=400, deadline=None)
@pytest.mark.slow
def test_a_clock_that_is_set_back_doubles_and_loses_nothing(
    printed: list[Printed], lives: list[tuple[int, Life]]
) -> None:
    """With engines since 23, which answer from the first entry that is new enough on."""
    with TemporaryDirectory() as name:
        seen = 0
        for more, life in lives:
            seen += more
            replace(life, is_old=False).copy(printed[:seen], Path(name))
        assert Life(is_old=False).copy(printed, Path(name))
        assert (Path(name) / "log").read_bytes() == text(printed)


def test_a_clock_that_is_behind_the_position_loses_nothing_on_old_engines(tmp_path: Path) -> None:
    """Then all of the log is asked for, since they leave out everything that looks old."""
    printed = [Printed(1, 7200 * SECOND, b"before\n"), Printed(1, 60 * SECOND, b"after\n")]
    assert Life().copy(printed[:1], tmp_path)
    assert Life().copy(printed, tmp_path)
    assert (tmp_path / "log").read_bytes() == b"before\nafter\n"


def test_a_clock_that_was_set_back_and_has_caught_up_loses_nothing_on_new_engines(tmp_path: Path) -> None:
    """A stream that was long quiet has nothing in the answer that was copied, however old it looks."""
    printed = [Printed(2, 50 * SECOND, b"a\n"), Printed(1, 7200 * SECOND, b"b\n"), Printed(2, 40 * SECOND, b"c\n")]
    assert Life(is_old=False).copy(printed[:2], tmp_path)
    assert Life(is_old=False, now=BEGIN + 7300).copy(printed, tmp_path)
    assert (tmp_path / "log").read_bytes() == b"a\nb\nc\n"


def test_log_that_the_engine_has_thrown_away_stops_nothing(tmp_path: Path) -> None:
    """With max-size an engine keeps the newest; what it still has is copied."""
    printed = [Printed(1, at * SECOND, b"%d\n" % at) for at in range(100)]
    assert Life().copy(printed[:10], tmp_path)
    assert Life().copy(printed[50:], tmp_path)
    assert (tmp_path / "log").read_bytes() == text(printed[:10] + printed[50:])


@pytest.mark.parametrize("damage", [b"", b"\0" * 200, b'{"version": 1, "container": "c0ffee"}'])
def test_a_damaged_position_doubles_and_loses_nothing(tmp_path: Path, damage: bytes) -> None:
    """Nothing is known of what has been copied, so all of it is again."""
    assert Life().copy(HARD[:5], tmp_path)
    (tmp_path / "position").write_bytes(damage)
    assert Life().copy(HARD, tmp_path)
    assert (tmp_path / "log").read_bytes() == text(HARD[:5]) + text(HARD)
    assert Life().copy(HARD, tmp_path)
    assert (tmp_path / "log").read_bytes() == text(HARD[:5]) + text(HARD)


def test_a_position_of_another_container_is_none(tmp_path: Path) -> None:
    """The new container's output comes behind that of the old one, from its beginning."""
    assert Life().copy(HARD[:5], tmp_path)
    position = tmp_path / "position"
    position.write_text(position.read_text().replace("c0ffee", "decaf"))
    assert Life().copy(HARD[:2], tmp_path)
    assert (tmp_path / "log").read_bytes() == text(HARD[:5]) + text(HARD[:2])


LINES = [Printed(1, at * SECOND // 10, b"line %d\n" % at) for at in range(40)]


DEEDS = ["append", "append torn", "truncate", "cut", "delete", "rename", "fill"]


@given(st.integers(0, 40), LIVES, st.sampled_from(DEEDS), st.integers(0, 40))
@settings(max_examples=300, deadline=None)
@pytest.mark.slow
def test_whatever_others_do_to_the_file_no_line_is_lost_that_they_have_not_removed(
    seen: int, life: Life, deed: str, cut: int
) -> None:
    """While nobody copies, others append to the log, cut it, delete it or fill it again."""
    with TemporaryDirectory() as name:
        log = Path(name) / "log"
        life.copy(LINES[:seen], Path(name))
        before = log.read_bytes()
        _do(deed, log, cut)
        assert Life().copy(LINES, Path(name))
        found = log.read_bytes()
        places = [(found if deed.startswith("append") else before + found).find(one.content) for one in LINES]
        assert -1 not in places
        assert places == sorted(places)


def _do(deed: str, log: Path, cut: int) -> None:
    if deed.startswith("append"):
        with log.open("ab") as file:
            file.write(b"theirs\n" if deed == "append" else b"\ntheirs")
            file.write(b"\n")
    elif deed == "truncate":
        os.truncate(log, 0)
    elif deed == "cut":
        os.truncate(log, max(0, log.stat().st_size - cut))
    elif deed == "delete":
        log.unlink()
    elif deed == "rename":
        log.rename(log.with_suffix(".1"))
    else:
        log.write_bytes(b"theirs\n" * 100)


def test_a_log_that_is_deleted_while_it_is_written_is_made_anew_with_the_next_line(tmp_path: Path) -> None:
    """A line in a file that has no name is lost."""
    log = tmp_path / "log"
    assert Life(piece=len(LINES[0].frame)).copy(LINES[:10], tmp_path, hook=lambda: log.unlink(missing_ok=True))
    assert not log.exists()
    assert Life().copy(LINES, tmp_path)
    assert log.read_bytes() == text(LINES[10:])


def test_the_position_in_a_renamed_log_is_kept_before_that_in_the_new_one(tmp_path: Path) -> None:
    """So that a death in between doubles nothing."""
    log = tmp_path / "log"

    def rotate() -> None:
        if log.stat().st_size == 35:
            log.rename(tmp_path / "old")

    life = Life(piece=len(LINES[0].frame), clock_step=0.0)
    life.copy(LINES[:10], tmp_path, hook=rotate)
    assert life.saved == [0, 35, 0, 35]


def test_a_log_that_is_renamed_while_it_is_written_goes_on_in_a_new_file(tmp_path: Path) -> None:
    """As logrotate does it: no line twice, none lost, whenever it is killed."""
    for dies_at in range(60):
        folder = tmp_path / str(dies_at)
        folder.mkdir()
        log, old = folder / "log", folder / "old"
        life = Life(dies_at=dies_at, part=3, piece=len(LINES[0].frame), clock_step=0.3)

        def rotate(log: Path = log, old: Path = old) -> None:
            if not old.exists() and log.stat().st_size > 20:
                log.rename(old)

        life.copy(LINES[:10], folder, hook=rotate)
        assert Life().copy(LINES, folder)
        both = (old.read_bytes() if old.exists() else b"") + log.read_bytes()
        assert both == text(LINES)
