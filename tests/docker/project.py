"""A project of a test whose containers run on an engine, and what a test asks that engine."""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container

from ..project import Project, Result, eventually
from .engine import connect

#: The labels that the product puts on what it makes.
PROJECT_LABEL = "stigmer-pm.project"
COMPONENT_LABEL = "stigmer-pm.component"


class DockerProject(Project):
    """A project whose name is that of its folder, so no two have the same, and neither have their containers."""

    def __init__(self, folder: Path, host: str) -> None:
        super().__init__(folder)
        self.name = folder.name
        self.environ["DOCKER_HOST"] = host
        self.client = connect(host)

    # --- the engine's side -----------------------------------------------------------------------------------------

    def container_name(self, component: str) -> str:
        """How the container of a component is called."""
        return f"{self.name}-{component}"

    def container(self, component: str) -> Container:
        """The container of a component, as it is now."""
        return self.client.containers.get(self.container_name(component))

    def inspect(self, component: str) -> dict[str, Any]:
        """What the engine says about the container of a component."""
        found: dict[str, Any] = self.client.api.inspect_container(self.container_name(component))
        return found

    def has_container(self, component: str) -> bool:
        """Whether there is one, running or not."""
        with suppress(docker.errors.NotFound):
            return bool(self.container(component))
        return False

    def inside(self, component: str, *command: str) -> str:
        """The output of a command that is run in the container of a component, and must succeed."""
        code, output = self.container(component).exec_run(list(command))
        assert code == 0, (command, code, output)
        assert isinstance(output, bytes), "it was not asked for a stream"
        return output.decode()

    def mine(self) -> list[Container]:
        """The containers that carry the label of this project."""
        return self.client.containers.list(all=True, ignore_removed=True, filters=self._label())

    def networks(self) -> list[str]:
        """The names of the networks that carry the label of this project."""
        return [str(network.name) for network in self.client.networks.list(filters=self._label())]

    # --- commands and their effects ---------------------------------------------------------------------------------

    def up(self, *args: str, code: int = 0, **rest: Any) -> Result:
        """``up`` that must end with ``code``. What is to fail is watched for longer than usual: a busy engine takes its
        time to say that a container has ended."""
        if code and not {"--settle", "--no-wait", "--dry-run"} & set(args):
            args = ("--settle", "5s", *args)
        return super().up(*args, code=code, **rest)

    def ids(self) -> dict[str, str | None]:
        """The id of every component's container, as ``ps`` has it."""
        return {name: entry["container"] for name, entry in self.ps().items()}

    def internal_errors(self) -> str:
        """The end of the supervisor's own log, when it has noticed a bug of its own."""
        path = self.dir / ".stigmer" / "supervisor.log"
        said = path.read_text(encoding="utf-8") if path.exists() else ""
        return said[-4000:] if "Traceback" in said else ""

    def events_of(self, component: str) -> str:
        """The journal of a component, as ``events`` prints it."""
        return self.ok("events", component).out

    def event_kinds(self) -> list[tuple[str, str]]:
        """What happened to whom, in order: (component, kind)."""
        events = [json.loads(line) for line in self.ok("events", "--json").out.splitlines()]
        return [(event["instance"], event["kind"]) for event in events]

    def wait_event(self, component: str, *words: str, deadline: float = 30.0) -> str:
        """Wait until a line of the journal has all these words; that line."""

        def look() -> str | None:
            lines = self.events_of(component).splitlines()
            return next((line for line in lines if all(word in line for word in words)), None)

        return eventually(look, f"an event of {component} with {words}", deadline)

    def wait_log(self, component: str, words: bytes) -> bytes:
        """Wait until a component has written that; its log."""
        return eventually(lambda: log if words in (log := self.log(component)) else None, f"{words!r} is in the log")

    def wait_another(self, component: str, before: dict[str, Any]) -> dict[str, Any]:
        """Wait until a component runs in another run than that of ``before``, an entry of ``ps``; its entry."""

        def look() -> dict[str, Any] | None:
            found = self.ps()[component]
            is_next = found["run"] != before["run"] and found["phase"] == "running"
            return found if is_next else None

        return eventually(look, f"{component} runs again")

    def remove_leftovers(self) -> list[str]:
        """Remove what carries the label of this project; what that was. Volumes go as well, but those may stay."""
        left = []
        for container in self.mine():
            left.append(f"container {container.name} ({container.status})")
            with suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)
        for network in self.client.networks.list(filters=self._label()):
            left.append(f"network {network.name}")
            network.remove()
        for volume in self.client.volumes.list():
            if volume.name.startswith(f"{self.name}-"):
                volume.remove(force=True)
        return left

    def _label(self) -> dict[str, str | list[str] | bool]:
        return {"label": f"{PROJECT_LABEL}={self.name}"}


def make_docker_project(host: str) -> Iterator[DockerProject]:
    """A project on the engine at ``host``, gone after the test with its containers and networks."""
    # Of letters and digits: a name is made of that of the folder, and other ends would be cut off.
    folder = Path(tempfile.gettempdir(), f"spm-{uuid.uuid4().hex[:10]}")
    folder.mkdir(mode=0o700)
    project = DockerProject(folder, host)
    try:
        yield project
    finally:
        processes = project.close()
        errors = project.internal_errors()
        try:
            left = project.remove_leftovers()
        finally:
            project.client.close()
            shutil.rmtree(folder, ignore_errors=True)
    assert not errors, f"the supervisor noticed a bug:\n{errors}"
    assert not processes, f"processes were left behind: {processes}"
    assert not left, f"left behind on the engine: {left}"
