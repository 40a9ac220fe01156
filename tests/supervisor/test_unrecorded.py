"""Runs that live and are not on record, as the next supervisor takes them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.state import InstanceState, Phase, Run
from stigmer_pm.spec import ComponentSpec, ProcessExecution, ProjectSpec
from stigmer_pm.supervisor.recovery import load_project
from stigmer_pm.supervisor.surroundings import World
from stigmer_pm.supervisor.unrecorded import find_unrecorded
from tests.simulation.clockwork import VirtualClock
from tests.simulation.virtual_memory import VirtualMemory


def test_what_a_job_left_behind_does_not_tell_that_its_command_was_edited() -> None:
    """It would be run a second time for that edit."""
    job = ComponentSpec("job", process=ProcessExecution(("sh",), "/", "/job.log"))
    world = SimpleNamespace(
        find_marked=lambda: {"job": (1, 0, 0, "")}, fingerprint=lambda spec: "sh", forget=lambda name, run: None
    )
    memory = VirtualMemory(lambda point: None)
    spec = ProjectSpec("p", "/p/stigmer.yaml", "/p/.stigmer", (job,))
    (found,) = find_unrecorded(memory, cast(World, world), spec, VirtualClock())
    assert found.state.restart_for is None


def test_what_came_back_while_nothing_could_be_written_is_not_on_its_way_out() -> None:
    """Removed from the file, that was written; put in again on a full disk, that wasn't; and then the supervisor died.
    Nobody would have stopped it: not the file, for which it was removed, and it was no more to be seen in ``ps``."""
    spec = ComponentSpec("web", process=ProcessExecution(("sleep", "1000"), "/", "/web.log"))
    state = InstanceState("web", Phase.STOPPING, run=Run(1, 1.0, pid=7), run_number=1)
    memory = VirtualMemory(lambda point: None)
    with memory.transaction():
        memory.save_instances([(0, Instance(spec, replace(state, is_removed=True)))])
        memory.set_meta({"boot_id": "boot"})
    world = SimpleNamespace(find_marked=lambda: {"web": (2, 8, 1, "sleep")}, fingerprint=lambda spec: "sleep")
    unrecorded = find_unrecorded(memory, cast(World, world), None, VirtualClock())
    project = load_project(memory, 10.0, "boot", unrecorded=unrecorded)
    assert project.applied() == {"web": spec}
    assert project["web"].state.run_number == 2
