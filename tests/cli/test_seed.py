"""A fresh start: the forked seed becomes the supervisor, or is discarded."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ..project import eventually
from . import documents
from .conftest import Cli, program_environ


class FakeSeed:
    """Answers as the test says, and counts what was done with it."""

    def __init__(self, answer: Callable[[], dict[str, Any]] = dict) -> None:
        self._answer = answer
        self.orders: list[Mapping[str, object]] = []
        self.discarded = 0

    def plant(self, order: Mapping[str, object], timeout: float | None = None) -> dict[str, Any]:
        self.orders.append(order)
        return self._answer()

    def discard(self) -> None:
        self.discarded += 1


def test_without_a_supervisor_the_seed_becomes_it(cli: Cli) -> None:
    """It gets the resolved file, what of it to run, and the environment beneath."""

    def grow() -> dict[str, Any]:
        fake = cli.supervise()
        fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"))
        return {"socket": str(fake.socket), "apply": documents.applied(documents.change("web", "start", "new"))}

    seed = FakeSeed(grow)
    cli.file.write_text("components: {web: {command: sleep 1000}, db: {command: sleep 1000, profiles: [x]}}\n")
    result = cli.run("up", "web", "--profile", "x", seed=seed)
    assert (result.code, result.out) == (0, "1 component ready\n"), result
    (order,) = seed.orders
    assert (order["names"], order["profiles"]) == (["web"], ["x"])
    assert isinstance(order["environment"], dict)
    assert "PATH" in order["environment"]
    assert seed.discarded == 0


def test_when_another_up_was_faster_its_supervisor_is_asked(cli: Cli) -> None:
    """Two at the same moment give one supervisor."""

    def grow() -> dict[str, Any]:
        fake = cli.supervise()
        fake.answers["POST /v1/apply"] = documents.applied(targets=("web",))
        fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"))
        return {"busy": True}

    assert cli.run("up", seed=FakeSeed(grow)).out == "nothing changed, 1 ready\n"


def test_a_supervisor_that_cannot_start_says_why(cli: Cli) -> None:
    """With its cure and its exit status."""
    error = {"message": "cannot use the state folder", "cure": "set state_dir", "exit": 2}
    result = cli.run("up", seed=FakeSeed(lambda: {"error": error}))
    assert (result.code, result.err) == (2, "error: cannot use the state folder\n  set state_dir\n")


def test_a_seed_without_use_is_discarded(cli: Cli) -> None:
    """Because the file is broken, nothing is to be done, or a supervisor runs already."""
    dry, broken, running = FakeSeed(), FakeSeed(), FakeSeed()
    assert cli.run("up", "--dry-run", seed=dry).code == 0
    fake = cli.supervise()
    fake.answers["POST /v1/apply"] = documents.applied()
    assert cli.run("up", "--no-wait", seed=running).code == 0
    cli.file.write_text("components: {}\n")
    assert cli.run("up", seed=broken).code == 2
    assert (dry.discarded, broken.discarded, running.discarded) == (1, 1, 1)


@pytest.mark.slow
def test_up_watch_applies_good_edits_shows_broken_ones_and_ends_on_an_interrupt(cli: Cli) -> None:
    """Ctrl-C ends the watching and nothing else."""
    fake = cli.supervise()
    fake.answers["POST /v1/apply"] = documents.applied(targets=("web",))
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"))
    said = cli.dir / "said.txt"
    with said.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "stigmer_pm", "up", "--watch"],
            stdout=subprocess.DEVNULL,
            stderr=err,
            cwd=cli.dir,
            env=program_environ(),
        )
    try:
        eventually(lambda: "watching" in said.read_text())
        good = cli.file.read_text()
        cli.file.write_text("components: {}\n")
        eventually(lambda: "nothing was changed" in said.read_text())
        assert len(fake.bodies("/v1/apply")) == 1
        cli.file.write_text(good.replace("sleep 1000", "sleep 2000"))
        eventually(lambda: len(fake.bodies("/v1/apply")) == 2)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert "what runs is not hurt" in said.read_text()
    finally:
        process.kill()
        process.wait()
    assert fake.bodies("/v1/down") == []
