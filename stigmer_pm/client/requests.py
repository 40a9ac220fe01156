"""What can be asked of a supervisor: one typed method for each route."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from stigmer_pm.client import finding
from stigmer_pm.client.conversation import Conversation, quoted
from stigmer_pm.client.documents import (
    ApplyAnswer,
    ComponentDetails,
    Document,
    EventEntry,
    EventsAnswer,
    PsDocument,
    SaidResult,
    Standing,
    Targets,
    UpgradeAnswer,
)
from stigmer_pm.client.exchange import BadAnswer
from stigmer_pm.statedir import StateDir

#: The message that ends a stream when another supervisor takes the place of the one that was asked.
_MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Selection:
    """Instances by name or glob pattern, narrowed by labels; with neither, all of them."""

    names: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    all: bool = False

    def body(self) -> Document:
        """As requests carry it."""
        return {"names": list(self.names), "labels": dict(self.labels), "all": self.all}

    def query(self) -> list[tuple[str, str]]:
        """As the address of a question carries it."""
        return [("name", n) for n in self.names] + [("label", f"{k}={v}") for k, v in self.labels.items()]


@dataclass(frozen=True, slots=True)
class Progress:
    """The instances whose standing is news."""

    instances: list[Standing]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a wait ended, with every instance that was waited for.

    Of ``down``, in words: what of them ``stays``, what was ``not_reached`` but has nothing of them, and why what has
    happened is ``unwritten``.
    """

    reached: bool
    timed_out: bool
    instances: list[Standing]
    stays: str = ""
    not_reached: str = ""
    unwritten: str = ""


class Supervisor(Conversation):
    """The supervisor of one project. Every request has a connection of its own.

    Every method raises ``NoSupervisor`` when it can't be reached and ``Refused`` when it says no.
    """

    @classmethod
    def find(cls, state: StateDir, environ: Mapping[str, str] | None = None) -> Supervisor:
        """The supervisor that has left its address in this state folder; :meth:`knock` tells whether it is there.

        ``environ`` (default: this process's) tells where to look when there is no address.

        Raises:
            NoSupervisor: there is no address, or the folder is somebody else's.
        """
        return cls(state, finding.read_address(state, os.environ if environ is None else environ))

    # --- questions ----------------------------------------------------------------------------------------------

    def ps(self, selection: Selection | None = None) -> PsDocument:
        """How everything stands."""
        query = [] if selection is None else selection.query()
        return cast(PsDocument, self._ask("GET", "/v1/ps", query=query))

    def describe(self, name: str, *, show_secrets: bool = False) -> ComponentDetails:
        """Everything about one instance."""
        path = f"/v1/components/{quoted(name)}"
        return cast(ComponentDetails, self._ask("GET", path, query=[("show_secrets", "1")] if show_secrets else []))

    def events(self, names: Sequence[str] = (), *, since: str | None = None, limit: int | None = None) -> EventsAnswer:
        """The journal, oldest first; ``limit`` keeps the last ones."""
        return cast(EventsAnswer, self._ask("GET", "/v1/events", query=_event_query(names, since, limit)))

    def follow_events(
        self, names: Sequence[str] = (), *, since: str | None = None, limit: int | None = None
    ) -> Iterator[EventEntry]:
        """The journal, then what is added to it, for as long as the supervisor runs."""
        began_at = _now()
        query = [*_event_query(names, since, limit), ("follow", "1")]
        last = 0
        while query:
            asked, query = query, []
            for event, document in self._stream("GET", "/v1/events", query=asked):
                if event == _MOVED:
                    # The next one is asked for the rest; what it tells again, by the same time, has been told.
                    since = since or began_at
                    query = [*_event_query(names, since, None), ("follow", "1")]
                elif event == "event" and document["id"] > last:
                    last, since = document["id"], document["at"]
                    yield cast(EventEntry, document)
        if self.was_cut_off:
            raise finding.explain_silence(self.state, self.address, BadAnswer("its answer was cut off"))

    # --- requests -----------------------------------------------------------------------------------------------

    def apply(
        self, spec: object, *, names: Sequence[str] = (), profiles: Sequence[str] = (), dry_run: bool = False
    ) -> ApplyAnswer:
        """Make the machine match the encoded ``spec``, or say what that would change."""
        body = {"spec": spec, "names": list(names), "profiles": list(profiles), "dry_run": dry_run}
        return cast(ApplyAnswer, self._ask("POST", "/v1/apply", body))

    def act(self, verb: str, selection: Selection) -> tuple[list[SaidResult], Targets]:
        """``start``, ``stop``, ``restart`` or ``reset``: what it has begun, and what to wait for."""
        answer = self._ask("POST", f"/v1/{verb}", selection.body())
        return answer["results"], answer["targets"]

    def start(self, selection: Selection) -> tuple[list[SaidResult], Targets]:
        """Start instances, and what they need."""
        return self.act("start", selection)

    def stop(self, selection: Selection) -> tuple[list[SaidResult], Targets]:
        """Stop instances."""
        return self.act("stop", selection)

    def restart(self, selection: Selection) -> tuple[list[SaidResult], Targets]:
        """Stop and start instances."""
        return self.act("restart", selection)

    def reset(self, selection: Selection) -> tuple[list[SaidResult], Targets]:
        """Clear the failed runs of instances, and start those that gave up."""
        return self.act("reset", selection)

    def signal(self, name: str, selection: Selection) -> list[Document]:
        """Send a signal to the leaders of runs."""
        answer = self._ask("POST", "/v1/signal", {**selection.body(), "signal": name})
        return cast("list[Document]", answer["results"])

    def wait(
        self,
        targets: Targets | Selection,
        *,
        goal: str = "ready",
        settle: float = 1.0,
        timeout: float | None = None,
        patience: float | None = None,
    ) -> Iterator[Progress | Outcome]:
        """News of the instances until all are there or can't get there, then the outcome.

        ``timeout`` in seconds ends the wait, ``patience`` is the longest backoff that is sat out; ``None``: no limit.
        """
        body: Document = {"for": goal, "settle": settle, "timeout": timeout, "patience": patience}
        if isinstance(targets, Selection):
            body["select"] = targets.body()
        else:
            body["targets"] = targets
        return self._progress("/v1/wait", body)

    def upgrade(self, python: str, path: Sequence[str]) -> UpgradeAnswer:
        """Have the program of this interpreter, which looks for modules in ``path``, take the supervisor's place.

        The answer comes before it does; :meth:`ps` tells by its ``since`` when it has.
        """
        return cast(UpgradeAnswer, self._ask("POST", "/v1/upgrade", {"python": python, "path": list(path)}))

    def let_go(self) -> int:
        """Have the supervisor end and leave what runs; its pid. Whoever asks is to be the next one."""
        return int(self._ask("POST", "/v1/let-go", {})["pid"])

    def down(self, *, timeout: float | None = None) -> Iterator[Progress | Outcome]:
        """Stop everything in order; the supervisor ends after the outcome. ``timeout`` ends only the watching."""
        return self._progress("/v1/down", {"timeout": timeout})

    # --- inside -------------------------------------------------------------------------------------------------

    def _progress(self, path: str, body: Document) -> Iterator[Progress | Outcome]:
        ends_at = None if body["timeout"] is None else time.monotonic() + body["timeout"]
        has_moved = True
        while has_moved:
            has_moved = False
            for event, document in self._stream("POST", path, body):
                if event == "progress":
                    yield Progress(document["instances"])
                elif event == "done":
                    yield Outcome(
                        document["reached"],
                        document["timed_out"],
                        document["instances"],
                        document.get("stays", ""),
                        document.get("not_reached", ""),
                        document.get("unwritten", ""),
                    )
                    return
                has_moved = event == _MOVED
            if ends_at is not None:
                body = {**body, "timeout": max(0.0, ends_at - time.monotonic())}
        raise finding.explain_silence(self.state, self.address, BadAnswer("its answer was cut off"))


def _now() -> str:
    """By the clock of this machine, as the journal has it."""
    wall = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall)) + f".{int(wall % 1 * 1000):03}Z"


def _event_query(names: Sequence[str], since: str | None, limit: int | None) -> list[tuple[str, str]]:
    query = [("name", name) for name in names]
    if since is not None:
        query.append(("since", since))
    if limit is not None:
        query.append(("limit", str(limit)))
    return query
