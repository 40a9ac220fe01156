"""A record whose pids are now those of strangers: in a container that was started again, on a machine that was not."""

from __future__ import annotations

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.state import Desired, InstanceState, Phase, Run
from stigmer_pm.spec import ComponentSpec, ContainerExecution, ProcessExecution
from stigmer_pm.supervisor.recovery import load_project
from stigmer_pm.supervisor.unrecorded import believe_marks

from .virtual_memory import VirtualMemory
from .virtual_world import VirtualWorld

_PROCESS = ComponentSpec("web", process=ProcessExecution(("serve",), "/", "/logs/web.log"))
_CONTAINER = ComponentSpec("db", container=ContainerExecution("image", "x-db", "x", "/logs/db.log"))


def memory_of_runs(namespace: str | None) -> VirtualMemory:
    """A process and a container that run, written down in a pid namespace (``None``: by a version that knew none)."""
    memory = VirtualMemory(lambda point: None)
    memory.set_meta({"boot_id": "one"} | ({} if namespace is None else {"pid_namespace": namespace}))
    for at, (spec, container) in enumerate(((_PROCESS, ""), (_CONTAINER, "abc"))):
        run = Run(3, 0.0, pid=7, started_at=0.0, container=container or None)
        state = InstanceState(spec.name, Phase.RUNNING, desired=Desired.RUNNING, run=run, run_number=3, restarts=2)
        memory.save_instances([(at, Instance(spec, state))])
    return memory


def test_in_another_namespace_processes_are_gone_and_containers_go_on() -> None:
    """What was counted stays, and no pid of before is looked at."""
    memory = memory_of_runs("pid:[1] 100")
    found = load_project(memory, 50.0, "one", "pid:[1] 900")
    web, db = found["web"].state, found["db"].state
    assert (web.phase, web.run, web.restarts, web.run_number) == (Phase.WAITING, None, 2, 3)
    assert (db.phase, db.run is not None and db.run.number) == (Phase.RUNNING, 3)
    again = load_project(memory, 60.0, "one", "pid:[1] 900")
    assert again["web"].state.phase is Phase.WAITING


def test_in_the_same_namespace_and_after_a_version_that_knew_none_all_goes_on() -> None:
    """A crash of the supervisor is no start of a container."""
    for recorded in ("pid:[1] 100", None):
        memory = memory_of_runs(recorded)
        for _ in range(2):
            state = load_project(memory, 50.0, "one", "pid:[1] 100")["web"].state
            assert state.phase is Phase.RUNNING, recorded


def test_a_run_that_is_seen_is_believed_more_than_the_name_of_the_namespace() -> None:
    """It must never be started twice."""

    class Seeing(VirtualWorld):
        def __init__(self, *, sees: bool) -> None:
            self._sees = sees

        def find_marked(self) -> dict[str, tuple[int, int, int, str]]:
            return {"web": (3, 7, 7, "")} if self._sees else {}

        def pid_namespace(self) -> str:
            return "pid:[1] 0"

    for sees, phase in ((True, Phase.RUNNING), (False, Phase.WAITING)):
        memory, world = memory_of_runs("pid:[1] 100"), Seeing(sees=sees)
        believe_marks(memory, world)
        assert load_project(memory, 50.0, "one", world.pid_namespace())["web"].state.phase is phase
