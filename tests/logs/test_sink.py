"""Opening the file that a run writes to."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from stigmer_pm.logs import open_sink


def test_the_folders_are_made_and_writes_are_appended(tmp_path: Path) -> None:
    """Two that have it open never write over each other."""
    path = tmp_path / "some" / "where" / "web.log"
    first, second = open_sink(str(path)), open_sink(str(path))
    os.write(first, b"one\n")
    os.write(second, b"two\n")
    os.write(first, b"three\n")
    os.close(first)
    os.close(second)
    assert path.read_bytes() == b"one\ntwo\nthree\n"
    assert path.stat().st_mode & 0o007 == 0


def test_no_program_inherits_the_descriptor_by_accident(tmp_path: Path) -> None:
    """Only the run that it is for gets it, as its standard output."""
    descriptor = open_sink(str(tmp_path / "web.log"))
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_a_device_is_as_good_as_a_file() -> None:
    """``log: /dev/null`` keeps nothing."""
    os.close(open_sink("/dev/null"))


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    """Opening one that nobody reads would stop the supervisor."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no file"):
        open_sink(str(tmp_path / "pipe"))


def test_a_socket_or_a_folder_is_refused(tmp_path: Path) -> None:
    """With what the kernel says of it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with pytest.raises(OSError, match="it is no file"):
            open_sink(str(tmp_path / "s"))
    with pytest.raises(IsADirectoryError):
        open_sink(str(tmp_path))
