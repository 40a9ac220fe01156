"""One component as a program holds it: ask how it stands, and restart it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from stigmer_pm.client.errors import ClientError
from stigmer_pm.client.requests import Outcome, Selection, Supervisor


@dataclass(frozen=True, slots=True)
class Health:
    """How an instance stands: ``started``, ``ready`` and ``healthy`` as Kubernetes means them, and why in words."""

    started: bool
    ready: bool
    healthy: bool
    reason: str = ""


@runtime_checkable
class Component(Protocol):
    """Something that is kept running, whatever it is: a local process, a container.

    Whoever has one can show it and act on it, without knowing what runs or where.
    """

    @property
    def name(self) -> str:
        """The name of the instance."""
        ...

    def state(self) -> str:
        """Its phase: ``running``, ``backoff``, ``failed`` and so on (see "Words" in the documentation)."""
        ...

    def health(self) -> Health:
        """How it stands, and why."""
        ...

    def is_healthy(self) -> bool:
        """It runs, and its liveness probe passes, or it has none."""
        ...

    def restart(self) -> None:
        """Replace its run by a new one, and return when that is ready.

        Raises:
            ClientError: it did not get ready; the message says why.
        """
        ...


class SupervisedComponent:
    """A component of a project that a supervisor runs. Every call asks the supervisor; nothing is kept here.

    Every call raises ``NoSupervisor`` when none answers, and ``Refused`` when it knows no such component.
    """

    def __init__(self, supervisor: Supervisor, name: str) -> None:
        self._supervisor = supervisor
        self._name = name

    @property
    def name(self) -> str:
        """The name of the instance."""
        return self._name

    def state(self) -> str:
        """Its phase."""
        return self._supervisor.describe(self._name)["phase"]

    def health(self) -> Health:
        """How it stands, and why."""
        entry = self._supervisor.describe(self._name)
        return Health(entry["started"], entry["ready"], entry["healthy"], entry["reason"])

    def is_healthy(self) -> bool:
        """It runs, and its liveness probe passes, or it has none."""
        return self.health().healthy

    def restart(self) -> None:
        """Restart it, and return when it is ready."""
        _, targets = self._supervisor.restart(Selection((self._name,)))
        for message in self._supervisor.wait(targets):
            if isinstance(message, Outcome) and not message.reached:
                reasons = "; ".join(f"{s['name']}: {s['phase']}, {s['reason']}" for s in message.instances)
                raise ClientError(f"cannot restart {self._name}: {reasons}")
