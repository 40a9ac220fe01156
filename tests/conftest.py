"""Fixtures that every test can use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .project import Project, make_project


@pytest.fixture
def project() -> Iterator[Project]:
    """A project of its own; a process that outlives its ``down`` fails the test."""
    yield from make_project()
