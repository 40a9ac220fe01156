"""The project's example with its container."""

from __future__ import annotations

import shutil
from pathlib import Path

from .project import DockerProject
from .test_networks import free_port

ROOT = Path(__file__).parents[2]


def test_the_example_runs_with_its_container(project: DockerProject) -> None:
    """``up --profile containers``: what somebody else stops comes back, and down leaves nothing."""
    text = (ROOT / "stigmer.yaml.example").read_text(encoding="utf-8")
    text = text.replace("project: stigmer ", f"project: {project.name} ").replace("./schemas", str(ROOT / "schemas"))
    (project.dir / "stigmer.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "examples", project.dir / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    project.environ["STIGMER_PORT"] = str(free_port())
    project.up("--profile", "containers")
    before = project.ps()
    assert {entry["phase"] for entry in before.values()} == {"running"}
    project.container("agent-runner").stop(timeout=1)
    after = project.wait_another("agent-runner", before["agent-runner"])
    assert after["restarts"] == 1
    assert b"waiting for work" in project.log("agent-runner")
    assert "had to be killed" not in project.ok("down", "--timeout", "20s").err
    assert project.mine() == []
