"""Entries out of multiplexed frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.runtime.containers.log_frames import Frames, seconds_of
from stigmer_pm.runtime.containers.trouble import EngineRefusal
from tests.runtime_containers.fake_log import BEGIN, Printed, pieces

PRINTED = st.builds(Printed, st.sampled_from([1, 2]), st.integers(0, 10**12), st.binary(max_size=40))


@given(st.lists(PRINTED, max_size=8), st.integers(1, 100))
def test_entries_are_the_same_however_the_bytes_are_cut(printed: list[Printed], size: int) -> None:
    """A frame may come in any number of reads, and a read may bring any number of frames."""
    frames = Frames()
    found = [entry for data in pieces(b"".join(one.frame for one in printed), size) for entry in frames.feed(data)]
    assert found == [(one.stream, one.stamp, one.content) for one in printed]
    assert not frames.is_cut


def test_the_beginning_of_a_frame_waits_for_its_end() -> None:
    """What has come of an entry is not handed out before all of it has."""
    frames = Frames()
    assert frames.feed(Printed(1, 0, b"line\n").frame[:-1]) == []
    assert frames.is_cut


def test_the_engine_may_complain_between_entries() -> None:
    """What the engine says of itself is no output of the container."""
    frames = Frames()
    complaint = b"Error grabbing logs: unexpected EOF\n"
    data = bytes([3, 0, 0, 0, 0, 0, 0, len(complaint)]) + complaint + Printed(1, 0, b"line\n").frame
    assert [content for _, _, content in frames.feed(data)] == [b"line\n"]
    assert frames.complaint == "Error grabbing logs: unexpected EOF"


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        (b"2026-11-28T15:06:14.5+01:00", b"2026-11-28T14:06:14.500000000Z"),
        (b"2026-11-28T14:06:14Z", b"2026-11-28T14:06:14.000000000Z"),
        (b"2026-11-28T04:36:14.534178643-09:30", b"2026-11-28T14:06:14.534178643Z"),
    ],
)
def test_timestamps_of_other_forms_become_comparable(text: bytes, stamp: bytes) -> None:
    """Whatever zone and precision a log driver has."""
    payload = text + b" a line\n"
    assert Frames().feed(bytes([2, 0, 0, 0, 0, 0, 0, len(payload)]) + payload) == [(2, stamp, b"a line\n")]


@pytest.mark.parametrize("data", [b"raw output of a terminal\n", bytes([1, 0, 0, 0, 0, 0, 0, 8]) + b"no stamp"])
def test_something_else_is_refused(data: bytes) -> None:
    """Nothing is written that could not be found again."""
    with pytest.raises(EngineRefusal, match="the engine's log has"):
        Frames().feed(data)


def test_seconds_are_those_since_1970() -> None:
    """The engine takes them so."""
    assert seconds_of(Printed(1, 999_999_999, b"").stamp) == BEGIN
