"""The position in a container's log: kept, found again, and what it says of an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stigmer_pm.runtime.containers.log_frames import Entry
from stigmer_pm.runtime.containers.log_position import Position, load_position, save_position
from tests.runtime_containers.fake_log import BEGIN, Printed

SECOND = 10**9
PIECE = b"x" * 16384


def position(*printed: Printed) -> Position:
    """The position after these entries."""
    made = Position("c0ffee", "/log", 1, 2, 3)
    made.advance([entry(one) for one in printed])
    return made


def entry(one: Printed) -> Entry:
    """It as frames give it."""
    return one.stream, one.stamp, one.content


def test_a_position_is_read_back_as_it_was(tmp_path: Path) -> None:
    """All of it survives."""
    path = str(tmp_path / "position")
    saved = position(Printed(1, 5, b"a\n"), Printed(2, 4, PIECE))
    save_position(path, saved)
    assert load_position(path) == saved
    assert [file.name for file in tmp_path.iterdir()] == ["position"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 2), ("offset", -1), ("offset", "3"), ("inode", None), ("last", "yesterday"), ("last", 5),
        ("places", []), ("places", {"1": {}}), ("places", {"x": None}),
    ],
)  # fmt: skip
def test_a_position_that_makes_no_sense_is_none(tmp_path: Path, key: str, value: object) -> None:
    """Whatever stands in the file, it is no reason to fail."""
    path = tmp_path / "position"
    save_position(str(path), position(Printed(1, 5, b"a\n")))
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    assert load_position(str(path)) is None


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"{", b"[]", b"null", b"5", b"[" * 100_000, b'{"version": 1}'])
def test_a_damaged_file_holds_no_position(tmp_path: Path, data: bytes) -> None:
    """After a power failure it may be empty, or zeros."""
    path = tmp_path / "position"
    path.write_bytes(data)
    assert load_position(str(path)) is None


def test_a_file_that_is_missing_holds_no_position_and_one_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """To take an unreadable position for none would write everything twice."""
    assert load_position(str(tmp_path / "position")) is None
    with pytest.raises(IsADirectoryError):
        load_position(str(tmp_path))


def test_a_failed_save_leaves_the_last_one(tmp_path: Path) -> None:
    """A position is replaced as a whole, or not at all."""
    path = tmp_path / "position"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        save_position(str(path), position())
    assert [file.name for file in tmp_path.iterdir()] == ["position"]


def test_the_engine_is_asked_from_a_little_before_the_last_entry() -> None:
    """The order of entries isn't that of their timestamps; ten seconds cover what gets mixed."""
    asked = position(Printed(1, 0, b"a\n"), Printed(1, 100 * SECOND, b"b\n"))
    assert asked.since(BEGIN + 200) == BEGIN + 90
    assert position().since(BEGIN) is None


def test_the_engine_is_asked_from_before_a_long_line_that_has_not_ended() -> None:
    """Its rest has the timestamp of its beginning, however old that is."""
    asked = position(Printed(2, 0, PIECE), Printed(1, 100 * SECOND, b"b\n"))
    assert asked.since(BEGIN + 200) == BEGIN - 1


def test_the_engine_is_asked_from_before_all_that_has_to_be_counted() -> None:
    """After the clock was set back that goes far back, and with it into a long line of the other stream."""
    asked = position(
        Printed(1, 20 * SECOND, PIECE),
        Printed(2, 75 * SECOND, b"a\n"),
        Printed(1, 20 * SECOND, b"end\n"),
        *(Printed(2, at * SECOND, b"b\n") for at in (200, 30, 100)),
    )
    assert asked.since(BEGIN + 300) == BEGIN + 19


def test_the_engine_is_asked_from_the_beginning_when_the_clock_was_set_back() -> None:
    """What is printed now looks older than what was printed before."""
    assert position(Printed(1, 100 * SECOND, b"b\n")).since(BEGIN + 50) is None


def test_what_was_copied_is_counted_from_the_highest_timestamp() -> None:
    """Entries with the same timestamp are told apart by their number."""
    covers = position(Printed(1, 5, b"a\n"), Printed(1, 7, b"b\n"), Printed(1, 7, b"c\n")).covers(None)
    stamps = [Printed(1, at, b"").stamp for at in (5, 7, 7, 7, 8)]
    assert [covers[1].has(stamp) for stamp in stamps] == [True, True, True, False, False]


def test_after_the_engine_has_thrown_away_old_log_everything_is_new() -> None:
    """A higher timestamp comes first, so what was copied is gone."""
    cover = position(Printed(1, 7, b"b\n")).covers(None)[1]
    assert not cover.has(Printed(1, 8, b"").stamp)
    assert not cover.has(Printed(1, 7, b"").stamp)
