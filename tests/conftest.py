"""Fixtures that every test can use."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from .project import Project, make_project

# A shell ignores SIGINT for what it runs in the background, and so would everything that is started from here.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def project() -> Iterator[Project]:
    """A project of its own; a process that outlives its ``down`` fails the test."""
    yield from make_project()
