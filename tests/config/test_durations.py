"""Durations and sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.config.durations import parse_duration, parse_size
from tests.durations import format_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("10s", 10), ("1m30s", 90), ("2h", 7200), ("1d", 86400), ("1.5s", 1.5), ("0", 0), ("30", 30),
     ("2.5", 2.5), (" 5s ", 5), ("1h2m3s4ms", 3723.004)],
)  # fmt: skip
def test_a_duration_is_read_as_its_seconds(text: str, seconds: float) -> None:
    """config.md: "`500ms`, `10s`, `1m30s`, `2h`, `1d`, or a number of seconds"."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "s", "-5s", "5x", "5 s", "1s1m", "1s1s", "1e3", "nan", "inf", "\u0665s", "9" * 20, "999999999999d", "5s\x00"],
)
def test_what_is_no_duration_is_refused_with_the_forms(text: str) -> None:
    """ValueError, with an example or the bound."""
    with pytest.raises(ValueError, match="expected"):
        parse_duration(text)


@given(st.integers(0, 10**10))
def test_a_formatted_duration_is_read_as_the_same(milliseconds: int) -> None:
    """There and back."""
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512KiB", 524288), ("10MB", 10**7), ("2GiB", 2 << 30), ("0", 0), ("77", 77), ("1k", 1000), ("1.5KiB", 1536),
     ("3 MiB", 3 << 20), ("1TB", 10**12), ("9b", 9), (str(2**63 - 1), 2**63 - 1)],
)  # fmt: skip
def test_a_size_is_read_as_its_bytes(text: str, size: int) -> None:
    """config.md: "`512KiB`, `10MB`, `2GiB`, or bytes"."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "5XB", "1 2", "9999999TiB", str(2**63), "9" * 50, "1e9", "nan"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """ValueError, with an example or the bound."""
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(text)


@given(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_whole_number_of_any_unit_of_time_is_read_exactly(count: int, unit: str) -> None:
    """And formatted as the same time."""
    seconds = parse_duration(f"{count}{unit}")
    assert seconds == (count / 1000 if unit == "ms" else count * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit])
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(0, 10**6), st.integers(0, 4), st.booleans(), st.sampled_from(["", " "]))
def test_a_whole_number_of_any_unit_of_size_is_read_exactly(count: int, power: int, is_binary: bool, gap: str) -> None:
    """``k`` is 1000, ``Ki`` is 1024; letters may be large or small."""
    unit = f"{' KMGT'[power].strip()}{'i' if is_binary and power else ''}B"
    size = count * (1024 if is_binary else 1000) ** power
    assert (
        parse_size(f"{count}{gap}{unit}") == parse_size(f"{count}{gap}{unit.lower()}") == parse_size(str(size)) == size
    )


@given(st.text())
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    """No other exception."""
    for parse in (parse_duration, parse_size):
        try:
            assert parse(text) >= 0
        except ValueError:
            continue
