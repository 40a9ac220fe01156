"""Fixtures that every test can use."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from .project import Project, make_project
from .scheduling import Scheduling, put_in_order

# A shell ignores SIGINT for what it runs in the background, and so would everything that is started from here.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that has other things to do is no fault of what is tested.
settings.register_profile("without a deadline", deadline=None)
settings.load_profile("without a deadline")


@pytest.fixture
def project() -> Iterator[Project]:
    """A project of its own; a process that outlives its ``down`` fails the test."""
    yield from make_project()


@pytest.hookimpl(trylast=True)  # after pytest-randomly, which shuffles
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which they run."""
    put_in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    """Which worker runs what; the plugin's own ways, when one is asked for by name."""
    return Scheduling(config, log) if config.getoption("dist") == "load" else None
