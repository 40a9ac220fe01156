"""Appending to a log file, and recognizing what stands in it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stigmer_pm.runtime.containers.log_file import LogFile, LogUnwritable


def refuse(error: OSError) -> None:
    """For logs that never stall."""
    raise AssertionError(error)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log in a folder that is missing."""
    return tmp_path / "logs" / "web.log"


@pytest.fixture
def log(path: Path) -> Iterator[LogFile]:
    """It, open."""
    log = LogFile(str(path), refuse)
    yield log
    log.close()


def test_a_write_that_is_cut_short_is_completed(path: Path) -> None:
    """The system may take a part only."""
    log = LogFile(str(path), refuse, write=lambda descriptor, data: os.write(descriptor, data[:3]))
    log.append(b"0123456789\n")
    assert path.read_bytes() == b"0123456789\n"
    assert log.offset == 11
    log.close()


def test_a_full_disk_delays_and_loses_nothing(path: Path) -> None:
    """The write is tried again where it stopped until there is room."""
    stalls: list[OSError] = []

    def write(descriptor: int, data: memoryview) -> int:
        if len(stalls) < 2 and path.stat().st_size:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(descriptor, data[:5])

    log = LogFile(str(path), stalls.append, write=write)
    log.append(b"0123456789\n")
    assert path.read_bytes() == b"0123456789\n"
    assert [error.errno for error in stalls] == [errno.ENOSPC] * 2
    log.close()


def test_a_file_that_can_never_be_written_is_an_error_with_its_path(path: Path) -> None:
    """Waiting would not help."""

    def write(descriptor: int, data: memoryview) -> int:
        raise OSError(errno.EBADF, "Bad file descriptor")

    log = LogFile(str(path), refuse, write=write)
    with pytest.raises(LogUnwritable, match=r"cannot write the log '.*web\.log': bad file descriptor"):
        log.append(b"line\n")
    log.close()
    with pytest.raises(LogUnwritable, match="is a directory"):
        LogFile(str(path.parent), refuse)


def test_the_offset_is_where_the_last_write_ended_whoever_else_writes(path: Path, log: LogFile) -> None:
    """Others may append or cut the file at any time."""
    log.append(b"ours\n")
    with path.open("ab") as other:
        other.write(b"theirs\n")
    log.append(b"ours\n")
    assert log.offset == path.stat().st_size == 17
    os.truncate(path, 0)
    log.append(b"again\n")
    assert log.offset == path.stat().st_size == 6


def test_a_deleted_or_renamed_file_is_noticed_and_made_anew(path: Path, log: LogFile) -> None:
    """So do tools that rotate logs."""
    assert not log.is_replaced()
    path.rename(path.with_suffix(".1"))
    assert log.is_replaced()
    log.reopen()
    log.append(b"new\n")
    assert path.read_bytes() == b"new\n"
    assert not log.is_replaced()


@pytest.mark.parametrize(
    ("there", "come", "then"),
    [
        (b"", b"a\nb\n", b"a\nb\n"),
        (b"a\n", b"a\nb\n", b"a\nb\n"),
        (b"a\nb\n", b"a\nb\n", b"a\nb\n"),
        (b"a\nb", b"a\nbb\n", b"a\nbb\n"),
        # Somebody else has written. That isn't taken for ours later on, and half a line that is there is written whole.
        (b"theirs\n", b"a\nb\n", b"theirs\na\nb\n"),
        (b"b\n", b"a\nb\n", b"b\na\nb\n"),
        (b"a\ntheirs\n", b"a\nb\n", b"a\ntheirs\nb\n"),
        (b"a\nbb\n", b"a\nbc\n", b"a\nbb\nbc\n"),
    ],
)
@pytest.mark.parametrize("at_once", [False, True])
def test_what_stands_behind_the_position_is_not_written_again(
    path: Path, there: bytes, come: bytes, then: bytes, at_once: bool
) -> None:
    """As far as it is the same; from the line on that differs everything is written."""
    path.parent.mkdir()
    path.write_bytes(b"before\n" + there)
    log = LogFile(str(path), refuse)
    log.expect(*log.identity, len(b"before\n"))
    for line in [come] if at_once else come.splitlines(keepends=True):
        log.append(line)
    assert path.read_bytes() == b"before\n" + then
    assert log.offset == path.stat().st_size
    log.close()


def test_of_another_or_a_shorter_file_nothing_is_expected(path: Path, log: LogFile) -> None:
    """A file that was replaced or cut holds nothing of what comes."""
    log.append(b"a\n")
    device, inode = log.identity
    log.expect(device, inode + 1, 0)
    log.append(b"a\n")
    log.expect(device, inode, 100)
    log.append(b"a\n")
    assert path.read_bytes() == b"a\na\na\n"


def test_a_file_that_is_cut_while_it_is_compared_is_written_from_there(path: Path) -> None:
    """What was expected isn't there any more."""
    path.parent.mkdir()
    path.write_bytes(b"a\nb\nc\n")
    log = LogFile(str(path), refuse)
    log.expect(*log.identity, 0)
    log.append(b"a\n")
    os.truncate(path, 2)
    log.append(b"b\nc\n")
    log.append(b"d\n")
    assert path.read_bytes() == b"a\nb\nc\nd\n"
    log.close()


def test_the_null_device_is_a_log_that_keeps_nothing() -> None:
    """As for processes."""
    log = LogFile(os.devnull, refuse)
    log.append(b"gone\n")
    assert not log.is_replaced()
    log.close()
