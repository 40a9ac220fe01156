"""Images that are not on the engine, from a registry that can be slow and can fail."""

from __future__ import annotations

import time

from ..project import eventually
from .project import DockerProject
from .registry import Registry


def write_pull(project: DockerProject, image: str, pull: str) -> None:
    """A file with a container of that image."""
    project.write(f"components: {{web: {{image: '{image}', pull: {pull}, max_restarts: 0}}}}\n")


def version(project: DockerProject) -> str:
    """Which image runs."""
    return project.inside("web", "cat", "/version")


def test_missing_pulls_once(registry: Registry, project: DockerProject) -> None:
    """And not again for a restart, whatever the registry has by then."""
    write_pull(project, registry.image, "missing")
    project.up()
    registry.publish("second")
    project.ok("restart", "web")
    assert version(project) == "first"
    assert registry.pulls == 1


def test_always_pulls_for_every_start(registry: Registry, project: DockerProject) -> None:
    """So that a restart runs what the registry has."""
    write_pull(project, registry.image, "always")
    project.up()
    registry.publish("second")
    project.ok("restart", "web")
    assert version(project) == "second"


def test_always_runs_what_is_there_when_its_registry_is_away(registry: Registry, project: DockerProject) -> None:
    """It fails, or goes on with the image that it has; either is told."""
    write_pull(project, registry.image, "always")
    project.up()
    registry.is_broken = True
    project.run("restart", "web")
    told = project.events_of("web") + project.ps()["web"]["reason"]
    assert "500" in told


def test_never_fails_with_a_clear_reason(registry: Registry, project: DockerProject) -> None:
    """It names the image, and nothing was asked of the registry."""
    write_pull(project, registry.image, "never")
    project.up(code=1)
    reason = project.ps()["web"]["reason"]
    assert registry.image in reason
    assert "pull" in reason
    assert registry.requests == []


def test_an_image_that_no_registry_has_is_a_reason_with_its_cure(registry: Registry, project: DockerProject) -> None:
    """It names the image."""
    image = registry.image.replace("test/image", "test/imgae")
    write_pull(project, image, "missing")
    result = project.up(code=1)
    reason = project.ps()["web"]["reason"]
    assert image in reason
    assert "not found" in reason or "no such image" in reason or "unknown" in reason
    assert image in result.out + result.err


def test_the_progress_of_a_pull_is_visible(registry: Registry, project: DockerProject) -> None:
    """In ``ps`` and ``up`` while it lasts, with how far it is; and then the container runs."""
    registry.slow_down()
    write_pull(project, registry.image, "missing")
    waiting = project.start("up", "--settle", "0s")
    eventually((project.dir / ".stigmer" / "supervisor.json").exists, "a supervisor is there")
    entry = eventually(lambda: e if "%" in (e := project.ps()["web"])["reason"] else None, "the progress is shown")
    assert "pull" in entry["reason"]
    assert entry["phase"] == "starting"
    assert "pull" in project.ok("ps").out
    assert "pull" in project.events_of("web")
    registry.hurry()
    out, err = waiting.communicate(timeout=30)
    assert waiting.returncode == 0, err
    assert "1 component ready" in out
    assert f"pulling {registry.image}" in err


def test_a_stop_during_a_pull_ends_it_at_once(registry: Registry, project: DockerProject) -> None:
    """The registry notices, too; and a start pulls again."""
    registry.slow_down()
    write_pull(project, registry.image, "missing")
    project.up("--no-wait")
    eventually(lambda: registry.pulls == 1 and "pull" in project.ps()["web"]["reason"], "it is being pulled")
    began = time.monotonic()
    project.ok("stop", "web", timeout=20)
    assert time.monotonic() - began < 5
    assert project.ps()["web"]["phase"] == "stopped"
    eventually(lambda: registry.cut_layers > 0, "the registry's layer is cut")
    registry.hurry()
    project.ok("start", "web")
    assert project.ps()["web"]["phase"] == "running"
