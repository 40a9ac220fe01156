"""The last lines of log files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.logs import Line, history, tail


@pytest.mark.parametrize(
    ("content", "lines", "expected"),
    [
        (b"", 5, []),
        (b"one\ntwo\nthree\n", 2, [b"two\n", b"three\n"]),
        (b"one\ntwo\nthree\n", 3, [b"one\n", b"two\n", b"three\n"]),
        (b"one\ntwo\nthree\n", 9, [b"one\n", b"two\n", b"three\n"]),
        (b"one\ntwo", 1, [b"two"]),
        (b"one\ntwo", 2, [b"one\n", b"two"]),
        (b"\n\n\n", 2, [b"\n", b"\n"]),
        (b"one\r\n\x0c\xff\ntwo\n", 2, [b"\x0c\xff\n", b"two\n"]),
        (b"one\ntwo\n", 0, []),
        (b"x" * 300_000 + b"\nend\n", 1, [b"end\n"]),
        (b"x" * 300_000 + b"\nend\n", 2, [b"x" * 300_000 + b"\n", b"end\n"]),
    ],
)
def test_the_last_lines_byte_for_byte(tmp_path: Path, content: bytes, lines: int, expected: list[bytes]) -> None:
    """Also when they span blocks, are no text, or end without a newline."""
    path = tmp_path / "web.log"
    path.write_bytes(content)
    assert tail(str(path), lines) == expected


@given(
    st.lists(st.sampled_from([b"", b"a", b"bb" * 40_000, b"\r", b"\xff"]), max_size=8), st.booleans(), st.integers(0, 9)
)
def test_any_file_has_the_lines_that_it_has(pieces: list[bytes], ends: bool, lines: int) -> None:
    """Reading back from the end finds what reading from the start finds."""
    content = b"\n".join(pieces) + (b"\n" if ends else b"")
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        every = content.split(b"\n")
        whole = [piece + b"\n" for piece in every[:-1]] + ([every[-1]] if every[-1] else [])
        assert tail(file.name, lines) == (whole[-lines:] if lines else [])


def test_nothing_before_the_offset_is_shown(tmp_path: Path) -> None:
    """A report about a run shows that run's own output only."""
    path = tmp_path / "web.log"
    path.write_bytes(b"before\nof this run\n")
    assert tail(str(path), 10, start_offset=7) == [b"of this run\n"]
    assert tail(str(path), 10, start_offset=19) == []


def test_an_offset_beyond_the_end_means_that_the_file_was_cut(tmp_path: Path) -> None:
    """Better too much than nothing."""
    path = tmp_path / "web.log"
    path.write_bytes(b"new\n")
    assert tail(str(path), 10, start_offset=1000) == [b"new\n"]


def test_a_missing_file_has_no_lines(tmp_path: Path) -> None:
    """The component may not have been started yet."""
    assert tail(str(tmp_path / "none" / "web.log"), 10) == []


def refuse(name: str, error: OSError) -> None:
    """No file is meant to be in trouble."""
    raise AssertionError(f"{name}: {error}")


def test_the_file_that_was_written_to_last_comes_last(tmp_path: Path) -> None:
    """So that the newest stands above the prompt."""
    paths = {name: str(tmp_path / f"{name}.log") for name in ("a", "b", "c")}
    for name, moment in (("a", 300), ("b", 100), ("c", 200)):
        Path(paths[name]).write_text(f"{name}\n")
        os.utime(paths[name], (moment, moment))
    assert list(history(paths, 5, refuse)) == [Line("b", b"b\n"), Line("c", b"c\n"), Line("a", b"a\n")]
