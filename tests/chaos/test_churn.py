"""The short form of ``make chaos``: a few components, a few kills, and nothing lost, doubled or left behind."""

from __future__ import annotations

import random

from tests.project import Project

from .churn import Churn, Verdict


def test_whenever_the_supervisor_is_killed_nothing_is_lost_doubled_or_left_behind(project: Project) -> None:
    """At every moment at most one run of each component, all ready in the end, and every line in its place."""
    verdict = Churn(project, 12, random.Random(1), mean_ms=300).run(kills=4)  # noqa: S311 (moments of kills)
    assert not verdict.faults, "\n".join(verdict.faults)
    assert verdict.kills >= 4
    assert verdict.restarts > 12


def test_the_judge_sees_a_run_beside_another_and_a_line_that_is_missing(project: Project) -> None:
    """Otherwise it would find nothing whatever happened."""
    churn = Churn(project, 3, random.Random(1), mean_ms=300)  # noqa: S311
    log = project.dir / ".stigmer" / "logs" / "c001.log"

    def spoil(verdict: Verdict) -> None:
        log.write_bytes(log.read_bytes().replace(b"c001 1\n", b""))
        (churn.folder / "doubles").write_text("c002: run 4711 began while something of another one lived\n")

    verdict = churn.run(kills=1, after_kill=spoil)
    assert [fault.split(":")[0] for fault in verdict.faults] == ["c001", "c002"], verdict.faults
