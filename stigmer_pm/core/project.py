"""All instances of a project together: an event moves one, then rules about the others run until nothing changes.

The rules are level-triggered: they look at what is, not at what happened, so a lost event cannot leave anything stuck.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from stigmer_pm.core.dependencies import Instance, first_unmet
from stigmer_pm.core.effects import Effect, EventKind, Record
from stigmer_pm.core.events import Event, Halt, Hold, Proceed, Restart, ResumeStop, Spawned, SpecChanged, Start, Stop
from stigmer_pm.core.graph import reverse
from stigmer_pm.core.lifecycle import deadline, step
from stigmer_pm.core.plan import Action, Change
from stigmer_pm.core.reasons import Reason, Why
from stigmer_pm.core.state import RESTING, Desired, InstanceState, Phase, StopCause
from stigmer_pm.spec import ComponentSpec

#: So many probes may come at the same moment without anybody noticing: about 5 ms of CPU. More of them are spread over
#: their periods.
_FEW_PROBES = 20
#: Places in a period that many probes are spread over. Of 1000 with a period of 10 s, eight come together every 78 ms.
#: Waking up is by far the dearest part of an attempt, and those that come together share it: with twice the places they
#: take half as much CPU again, and with half of them there would be bursts that one can see.
_PLACES = 128
#: From one component to the next: about the golden ratio of all places, so that few components lie far apart as well,
#: and an odd number, so that every place is taken once before one is taken again.
_STRIDE = 79


class Project:
    """The instances of one project. No I/O and no clock: every call takes ``now`` and returns effects."""

    def __init__(self, instances: Iterable[Instance] = (), last_runs: Mapping[str, int] | None = None) -> None:
        """``last_runs``: the newest run number of instances that ever were, so that none is used again."""
        self._instances: dict[str, Instance] = {i.state.name: i for i in instances}
        self._last_runs: dict[str, int] = dict(last_runs or {})
        self._dependents: Mapping[str, tuple[str, ...]] = {}
        self._changed: dict[str, bool] = {}
        self._spread: Mapping[str, float] = {}
        self._unsettled: list[str] = []
        self._index()

    def __iter__(self) -> Iterator[Instance]:
        return iter(self._instances.values())

    def __len__(self) -> int:
        return len(self._instances)

    def __getitem__(self, name: str) -> Instance:
        return self._instances[name]

    def find(self, name: str) -> Instance | None:
        """The instance called ``name``, if there is one."""
        return self._instances.get(name)

    def applied(self) -> dict[str, ComponentSpec]:
        """The specs that are applied, without those of components that are on their way out."""
        return {name: i.spec for name, i in self._instances.items() if not i.state.is_removed}

    def take_changed(self) -> dict[str, bool]:
        """The names whose state or spec has changed since the last call, and whether they must be remembered.

        One that is gone is no longer found.
        """
        changed, self._changed = self._changed, {}
        return changed

    def deadline(self, name: str) -> float | None:
        """When to send ``Due`` to this instance; ``None``: not needed."""
        instance = self._instances.get(name)
        return None if instance is None else deadline(instance.spec, instance.state)

    def handle(self, name: str, event: Event, now: float) -> list[Effect]:
        """One event for one instance, and all that follows from it. An event for an unknown name means nothing."""
        return self.handle_news([(name, event)], now)

    def handle_news(self, news: Iterable[tuple[str, Event]], now: float) -> list[Effect]:
        """Events that have come together: all of them first, and then what follows from how everything stands.

        Of two that have died together, neither must be started on the ground that the other was still running.
        """
        effects: list[Effect] = []
        moved = []
        for name, event in news:
            if name in self._instances:
                effects += self._move(name, self._with_spread(name, event), now)
                # The bookkeeping of probes is nothing that any rule looks at, and is most of what happens.
                if self._changed.get(name):
                    moved.append(name)
        return effects + self._settle(dict.fromkeys(moved), now)

    def apply(self, specs: Mapping[str, ComponentSpec], changes: Iterable[Change], now: float) -> list[Effect]:
        """Carry out a plan: ``specs`` are the specs of the whole file, in its order."""
        changes = tuple(changes)
        for change in changes:
            if change.action is not Action.STOP:
                self._declare(specs[change.name], now)
        # In the order of the file, wherever in it a new one stands; those that are on their way out come last.
        known = [name for name in specs if name in self._instances]
        self._instances = {n: self._instances[n] for n in dict.fromkeys((*known, *self._instances))}
        self._index()
        effects: list[Effect] = []
        for change in changes:
            effects += self._carry_out(change, now)
        # All of them: one that waits for another may not be its neighbour any more.
        return effects + self._settle(list(self._instances), now)

    def recover(self, news: Iterable[tuple[str, Event]], now: float) -> list[Effect]:
        """A new supervisor goes on with states it has loaded: what has happened meanwhile, and what was under way.

        What follows from it is left to the next call, which is that of the file that it was started with: what that
        takes away, or gives other dependencies, must not be started first.
        """
        effects: list[Effect] = []
        news = tuple(news)
        resumed = {name for name, event in news if isinstance(event, ResumeStop)}
        stopping = [n for n, i in self._instances.items() if i.state.phase is Phase.STOPPING and n not in resumed]
        for name, event in news:
            effects += self._move(name, event, now)
        told = set(effects)
        for name in stopping:
            effects += [effect for effect in self._move(name, ResumeStop(), now) if effect not in told]
        self._unsettled = list(self._instances)
        return effects

    # --- inside -------------------------------------------------------------------------------------------------

    def _declare(self, spec: ComponentSpec, now: float) -> None:
        """Take over a spec; one that comes back while it was still being removed stays after all."""
        known = self._instances.get(spec.name)
        state = self._fresh(spec.name) if known is None else known.state
        if known is not None and known.spec != spec:
            state, _ = step(spec, state, SpecChanged(known.spec), now)
        self._instances[spec.name] = Instance(spec, replace(state, is_removed=False))
        self._changed[spec.name] = True

    def _fresh(self, name: str) -> InstanceState:
        return InstanceState(name, reason=Reason(Why.NOT_STARTED), run_number=self._last_runs.get(name, 0))

    def _carry_out(self, change: Change, now: float) -> list[Effect]:
        name = change.name
        match change.action:
            case Action.START:
                return self._move(name, Start(), now)
            case Action.RESTART:
                return self._move(name, Restart(StopCause.EDIT), now)
            case Action.STOP:
                return self._move(name, Stop(StopCause.REMOVED), now)
            case Action.UPDATE:
                if not change.fields:
                    return []  # a new one that is not to be started
                return [Record(name, EventKind.EDITED, f"applied without a restart: {', '.join(change.fields)}")]

    def _index(self) -> None:
        self._dependents = reverse({n: [d.name for d in i.spec.depends_on] for n, i in self._instances.items()})
        probes = sum(len(i.spec.probes.declared()) for i in self._instances.values())
        self._spread = (
            {name: (number * _STRIDE % _PLACES + 0.5) / _PLACES for number, name in enumerate(self._instances)}
            if probes > _FEW_PROBES
            else {}
        )

    def _with_spread(self, name: str, event: Event) -> Event:
        return replace(event, spread=self._spread.get(name, 0.0)) if isinstance(event, Spawned) else event

    def _move(self, name: str, event: Event, now: float) -> list[Effect]:
        instance = self._instances[name]
        state, effects = step(instance.spec, instance.state, event, now)
        if state is not instance.state and state != instance.state:
            self._instances[name] = Instance(instance.spec, state)
            self._changed[name] = self._changed.get(name, False) or state.differs_durably(instance.state)
        return list(effects)

    def _settle(self, names: Iterable[str], now: float) -> list[Effect]:
        """Run the rules for ``names`` and, whenever one has moved, for its neighbours, until nothing changes."""
        effects: list[Effect] = []
        queue = deque((*self._unsettled, *names))
        self._unsettled = []
        for name in tuple(queue):
            queue.extend(self._neighbours(name))
        queued = set(queue)
        queue = deque(dict.fromkeys(queue))
        while queue:
            name = queue.popleft()
            queued.discard(name)
            event = self._rule(name)
            if event is None:
                self._forget_if_gone(name)
                continue
            before = self._instances[name].state
            effects += self._move(name, event, now)
            if self._instances[name].state == before:
                continue
            for other in (name, *self._neighbours(name)):
                if other not in queued:
                    queue.append(other)
                    queued.add(other)
        return effects

    def _neighbours(self, name: str) -> list[str]:
        instance = self._instances.get(name)
        needs = [d.name for d in instance.spec.depends_on if d.name in self._instances] if instance else []
        return needs + [other for other in self._dependents.get(name, ()) if other in self._instances]

    def _rule(self, name: str) -> Event | None:
        """What follows for this instance from how it and its neighbours stand; ``None``: nothing."""
        instance = self._instances.get(name)
        if instance is None:
            return None
        state = instance.state
        if state.phase is Phase.WAITING and state.desired is Desired.RUNNING:
            return self._start_rule(instance)
        if state.phase not in (Phase.STARTING, Phase.RUNNING) or state.run is None:
            return None
        if state.desired is Desired.STOPPED or state.restart_for is not None:
            return self._halt_rule(instance)
        return self._follow_rule(instance)

    def _start_rule(self, instance: Instance) -> Event | None:
        reason = first_unmet(instance.spec, self._instances.get)
        if reason is not None:
            return Hold(reason) if reason != instance.state.reason else None
        runs = {d.name: self._instances[d.name].state.run_number for d in instance.spec.depends_on}
        return Proceed(runs)

    def _halt_rule(self, instance: Instance) -> Event | None:
        """Dependents stop before what they depend on, when both are to stop or to be replaced.

        A run whose program isn't known to run is nothing that a dependent could need: its start is overtaken at once.
        """
        if instance.state.run is not None and instance.state.run.pid is None:
            return Halt()
        for other in self._dependents.get(instance.state.name, ()):
            dependent = self._instances.get(other)
            if dependent is not None and dependent.state.is_leaving:
                reason = Reason(Why.WAITS_FOR_DEPENDENTS, subject=other)
                return Hold(reason) if reason != instance.state.reason else None
        return Halt()

    def _follow_rule(self, instance: Instance) -> Event | None:
        """Compose's ``depends_on: restart: true``: a newer run of the dependency replaces mine."""
        run = instance.state.run
        for dependency in instance.spec.depends_on:
            known = run.dependency_runs.get(dependency.name) if run is not None and dependency.restart else None
            other = self._instances.get(dependency.name)
            if known is not None and other is not None and other.state.run_number > known:
                return Restart(StopCause.DEPENDENCY)
        return None

    def _forget_if_gone(self, name: str) -> None:
        instance = self._instances.get(name)
        if instance is not None and instance.state.is_removed and instance.state.phase in RESTING:
            self._last_runs[name] = instance.state.run_number
            # The index goes on naming it until the next file, and whoever looks it up finds nothing. To make it anew
            # for each takes the square of their number: of ten thousand, half of which go, half a minute.
            del self._instances[name]
            self._changed[name] = True
