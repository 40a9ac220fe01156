"""What an engine refuses is a reason in words, and nothing of somebody else is touched."""

from __future__ import annotations

from .images import BUSYBOX
from .project import DockerProject


def test_a_name_that_is_taken_is_a_reason_and_its_owner_is_untouched(project: DockerProject) -> None:
    """It names the other container; once that is gone, ours comes up by itself."""
    name = project.container_name("web")
    foreign = project.client.containers.run(BUSYBOX, "forever", name=name, detach=True)
    try:
        project.write(f"components: {{web: {{image: '{BUSYBOX}', command: forever, backoff: 200ms}}}}\n")
        project.up("--no-wait")
        entry = project.wait_phase("web", "backoff", "failed")
        assert name in entry["reason"]
        foreign.reload()
        assert foreign.status == "running"
    finally:
        foreign.remove(force=True)
    entry = project.wait_phase("web", "running")
    assert entry["container"] != foreign.id


def test_a_command_the_engine_cannot_run_is_not_the_end_of_the_others(project: DockerProject) -> None:
    """A working directory that is a file; the reason names it, and the other component runs."""
    project.write(f"""
        components:
          odd: {{image: "{BUSYBOX}", command: forever, working_dir: /etc/passwd, max_restarts: 0}}
          web: {{image: "{BUSYBOX}", command: forever}}
    """)
    project.up(code=1)
    entries = project.ps()
    assert "/etc/passwd" in entries["odd"]["reason"]
    assert entries["odd"]["phase"] == "failed"
    assert entries["web"]["phase"] == "running"


def test_a_user_that_the_image_does_not_have_is_a_reason(project: DockerProject) -> None:
    """It names the user."""
    project.write(f"components: {{web: {{image: '{BUSYBOX}', command: forever, user: nosuch, max_restarts: 0}}}}\n")
    project.up(code=1)
    assert "nosuch" in project.ps()["web"]["reason"]
