"""Fixtures of what is about an engine that the tests play."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.no_threads import Threads

from .fake_engine import FakeEngine


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    """How many threads there may be."""
    return Threads(monkeypatch)


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    """An engine."""
    return FakeEngine(tmp_path / "engine.sock")
