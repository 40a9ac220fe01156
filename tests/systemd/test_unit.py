"""The unit of ``startup`` under a systemd that really runs: docs/how-to/staying-alive.md, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..project import Project, eventually
from .booted import Booted, booted, lacking

pytestmark = [pytest.mark.skipif(bool(lacking()), reason=lacking()), pytest.mark.slow]

WEB = "trap 'sleep $WAIT; echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done"


@pytest.fixture(scope="module")
def systemd() -> Iterator[Booted]:
    """One for all tests of this file."""
    with booted() as found:
        yield found


@pytest.fixture
def shop(project: Project, systemd: Booted) -> Iterator[Project]:
    """A project whose unit is installed."""
    project.write(f"""
        components:
          web: {{command: ["sh", "-c", "{WEB.replace("$WAIT", "0")}"]}}
          db: {{command: sleep 1000}}
    """)
    systemd.install(project)
    yield project
    systemd.systemctl("stop")


def runs(project: Project) -> dict[str, tuple[Any, ...]]:
    """What must not change."""
    return {name: (c["pid"], c["run"], c["restarts"]) for name, c in project.ps().items()}


def test_a_supervisor_that_is_killed_is_back_and_nobody_has_noticed(shop: Project, systemd: Booted) -> None:
    """Also one that leaves what runs (SIGQUIT), and also over a file that is broken by now."""
    assert systemd.systemctl("start") == 0
    before = runs(shop)
    for number, signal in enumerate(("KILL", "QUIT", "KILL"), start=1):
        if number == 3:
            shop.write("components: [\n")
        systemd.kill(signal)
        systemd.wait(NRestarts=str(number), ActiveState="active", SubState="running")
        eventually(shop.answers)
        assert runs(shop) == before


def test_one_that_hangs_is_ended_and_is_back(shop: Project, systemd: Booted) -> None:
    """WatchdogSec."""
    systemd.install(shop, WatchdogSec="2")
    assert systemd.systemctl("start") == 0
    before = runs(shop)
    systemd.kill("STOP")
    systemd.wait(NRestarts="1", ActiveState="active", SubState="running")
    eventually(shop.answers)
    assert runs(shop) == before


def test_a_stop_takes_as_long_as_it_needs(shop: Project, systemd: Booted) -> None:
    """Beyond TimeoutStopSec, for systemd is told; everything has ended in order then."""
    shop.write(f"""
        components:
          web: {{command: ["sh", "-c", "{WEB.replace("$WAIT", "4")}"], stop_timeout: 20}}
    """)
    systemd.install(shop, TimeoutStopSec="2")
    assert systemd.systemctl("start") == 0
    eventually(lambda: b"hello" in shop.log("web"))
    assert systemd.systemctl("stop") == 0
    assert (systemd.show("ActiveState"), systemd.show("Result")) == ("inactive", "success")
    assert shop.log("web").endswith(b"bye\n")
    assert not shop.living()


def test_a_reload_applies_the_file_and_a_broken_one_changes_nothing(shop: Project, systemd: Booted) -> None:
    """ExecReload is ``up``."""
    assert systemd.systemctl("start") == 0
    before = runs(shop)
    shop.write((shop.dir / "stigmer.yaml").read_text().replace("sleep 1000", "sleep 2000"))
    assert systemd.systemctl("reload") == 0
    after = runs(shop)
    assert after["web"] == before["web"]
    assert after["db"] != before["db"]
    shop.write("components: [\n")
    assert systemd.systemctl("reload") != 0
    assert systemd.show("SubState") == "running"
    assert runs(shop) == after
    assert systemd.show("StatusText") == "2 of 2 ready"


def test_it_takes_over_from_the_background_and_rests_after_down(shop: Project, systemd: Booted) -> None:
    """Started by hand first; ``down`` is no failure."""
    assert systemd.stigmer_pm(shop, "up").returncode == 0
    before = runs(shop)
    assert systemd.systemctl("start") == 0
    assert runs(shop) == before
    assert systemd.stigmer_pm(shop, "upgrade").returncode == 0
    assert (systemd.show("SubState"), systemd.show("NRestarts"), runs(shop)) == ("running", "0", before)
    assert systemd.stigmer_pm(shop, "down").returncode == 0
    systemd.wait(ActiveState="inactive", SubState="dead", Result="success")
    assert not shop.living()


def test_a_supervisor_that_is_told_twice_to_end_rests(shop: Project, systemd: Booted) -> None:
    """The second SIGTERM kills what is left, and nothing is started again."""
    shop.write("""
        components:
          web: {command: ["sh", "-c", "trap '' TERM; echo hello; while :; do sleep 0.05; done"], stop_timeout: 50}
    """)
    systemd.install(shop)
    assert systemd.systemctl("start") == 0
    eventually(lambda: b"hello" in shop.log("web"))
    systemd.kill("TERM")
    shop.wait_phase("web", "stopping")
    systemd.kill("TERM")
    systemd.wait(ActiveState="inactive", SubState="dead", Result="success", NRestarts="0")
    assert not shop.living()


def test_a_file_with_errors_is_no_start_and_is_not_tried_for_ever(shop: Project, systemd: Booted) -> None:
    """With nothing on record. RestartPreventExitStatus=2."""
    shop.write("components: [\n")
    assert systemd.systemctl("start") != 0
    systemd.wait(ActiveState="failed", SubState="failed", NRestarts="0")
    systemd.systemctl("reset-failed")


def test_another_unit_may_wait_until_everything_is_ready(shop: Project, systemd: Booted) -> None:
    """ExecStartPost with ``wait``; what doesn't get there is stopped again."""
    command = systemd_command(shop)
    systemd.install(shop, ExecStartPost=f"{command} wait --timeout 20s")
    assert systemd.systemctl("start") == 0
    assert {c["ready"] for c in shop.ps().values()} == {True}
    assert systemd.systemctl("stop") == 0
    shop.write("components: {never: {command: sleep 1000, probes: {readiness: {exec: [test, -e, nowhere]}}}}\n")
    systemd.install(shop, ExecStartPost=f"{command} wait --timeout 1s", Restart="no")
    assert systemd.systemctl("start") != 0
    eventually(lambda: not shop.living())
    systemd.systemctl("reset-failed")


def systemd_command(project: Project) -> str:
    """How the unit calls us."""
    text = project.ok("startup", "--print", "--system").out
    (line,) = [line for line in text.splitlines() if line.startswith("ExecStop=")]
    return line.removeprefix("ExecStop=").removesuffix(" down")
