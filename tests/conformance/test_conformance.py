"""Every case of the file, and the runner for others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import K8S
from .sections import SECTIONS, load_cases

_CASES = load_cases(K8S)
#: Policies of systemd that have no counterpart here; docs/reference/kubernetes.md says so.
_WITHOUT_MEANING = {"on-success", "on-abnormal", "on-abort", "on-watchdog"}


def _all() -> list[Any]:
    return [
        pytest.param(section, case, id=f"{section}-{case['id']}") for section, cases in _CASES.items() for case in cases
    ]


def test_no_section_of_the_file_falls_through() -> None:
    """Every key of the file is a section that is run, or says something about the file."""
    document = yaml.safe_load(K8S.read_text(encoding="utf-8"))
    assert set(document) - {"schema_version", "source"} == set(SECTIONS)
    assert sum(len(cases) for cases in _CASES.values()) == 162


@pytest.mark.parametrize(("section", "case"), _all())
def test_the_case_holds(section: str, case: dict[str, Any]) -> None:
    """As the kubelet, systemd or Docker does it, or as the table in docs/ says otherwise."""
    problems = SECTIONS[section](case)
    if case["id"] in _WITHOUT_MEANING:
        assert problems is None
    else:
        assert problems == []


@pytest.mark.slow
def test_the_runner_takes_any_file_and_finds_what_fails(tmp_path: Path) -> None:
    """``python -m tests.conformance FILE``: a line for each failure, the counts, and the exit status."""
    good, bad = (dict(case) for case in _CASES["sequence_cases"][:2])
    bad["id"] = "made-wrong"
    bad["steps"] = [{**step, "ready": not step["ready"]} if "ready" in step else step for step in bad["steps"]]
    document = {
        "sequence_cases": [good, bad],
        "backoff_cases": [{**_CASES["backoff_cases"][0], "id": "wrong-waits", "waits": [9] * 8}],
        "validation_cases": [
            {"id": "wrong", "probe": "livenessProbe", "spec": {"tcpSocket": {"port": 0}}, "valid": True}
        ],
        "handler_cases": [{"id": "wrong-result", "result": "failure", "exec": {"command": ["true"]}}],
        "timeline_cases": [
            {
                **_CASES["timeline_cases"][0],
                "id": "wrong-times",
                "attempt_starts_k8s": [3],
                "attempt_starts_simple": [4],
            }
        ],
    }
    file = tmp_path / "cases.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.conformance", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "1 passed, 5 failed, 0 skipped" in done.stdout
    for name in ("made-wrong", "wrong-waits", "wrong", "wrong-result", "wrong-times"):
        assert f"/{name}: " in done.stdout
