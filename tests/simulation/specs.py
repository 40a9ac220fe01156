"""Random files: a handful of components with rules, probes and dependencies, and edits of them."""

from __future__ import annotations

import random
from dataclasses import replace

from stigmer_pm.spec import (
    Backoff,
    ComponentSpec,
    Condition,
    Dependency,
    ProbeKind,
    Probes,
    ProbeSpec,
    ProcessExecution,
    RestartPolicy,
    SuccessExits,
    TcpCheck,
)

NAMES = ("a", "b", "c", "d", "e")


def random_component(name: str, before: list[ComponentSpec], chance: random.Random) -> ComponentSpec:
    """A component that depends on some of those before it."""
    return ComponentSpec(
        name,
        process=_execution(name, chance),
        restart=chance.choice(list(RestartPolicy)),
        min_uptime=chance.choice([0.5, 2.0, 10.0]),
        max_restarts=chance.choice([0, 1, 2, 4, 10, None]),
        restart_window=chance.choice([5.0, 60.0, 600.0]),
        backoff=random_backoff(chance),
        success=SuccessExits((0,), chance.choice([(), (15,)])),
        stop_timeout=chance.choice([0.0, 0.5, 3.0]),
        probes=random_probes(chance),
        depends_on=tuple(_dependency(other, chance) for other in before if chance.random() < 0.4),
        autostart=chance.random() < 0.9,
    )


def random_components(chance: random.Random) -> list[ComponentSpec]:
    """One to five of them, none of which depends on a later one."""
    found: list[ComponentSpec] = []
    for name in NAMES[: chance.randint(1, len(NAMES))]:
        found.append(random_component(name, found, chance))
    return found


def random_backoff(chance: random.Random) -> Backoff:
    """From short and constant to long and doubling."""
    return Backoff(
        chance.choice([0.1, 1.0, 3.0]),
        chance.choice([1.0, 2.0, 3.0]),
        chance.choice([0.5, 10.0, 60.0]),
        chance.choice([0.0, 0.0, 0.5]),
    )


def random_probes(chance: random.Random) -> Probes:
    """Each kind in about a third of all components."""
    return Probes(*(_probe(kind, chance) if chance.random() < 0.35 else None for kind in ProbeKind))


def edited(components: list[ComponentSpec], chance: random.Random) -> list[ComponentSpec]:
    """The file after an edit: something executed or watched is another, a component is new, or one is gone."""
    found = list(components)
    kind = chance.choice(["executed", "watched", "watched", "new", "gone", "dependencies"])
    if kind == "new" and len(found) < len(NAMES):
        name = next(n for n in NAMES if n not in {c.name for c in found})
        return [*found, random_component(name, found, chance)]
    if kind == "gone" and len(found) > 1:
        gone = chance.choice(found).name
        return [_without(c, gone) for c in found if c.name != gone]
    at = chance.randrange(len(found))
    component = found[at]
    if kind == "executed":
        found[at] = replace(component, process=_execution(component.name, chance))
    elif kind == "dependencies":
        found[at] = replace(
            component, depends_on=tuple(_dependency(c, chance) for c in found[:at] if chance.random() < 0.5)
        )
    else:
        other = random_component(component.name, found[:at], chance)
        fields = chance.sample(["probes", "backoff", "max_restarts", "min_uptime", "stop_timeout", "restart"], 2)
        found[at] = replace(component, **{name: getattr(other, name) for name in fields})
    return [_with_possible_conditions(c, found) for c in found]


def _without(component: ComponentSpec, gone: str) -> ComponentSpec:
    return replace(component, depends_on=tuple(d for d in component.depends_on if d.name != gone))


def _with_possible_conditions(component: ComponentSpec, others: list[ComponentSpec]) -> ComponentSpec:
    """The reader refuses to wait for the completion of what never completes."""
    completes = {c.name for c in others if c.restart in (RestartPolicy.NEVER, RestartPolicy.ON_FAILURE)}
    return replace(
        component,
        depends_on=tuple(
            d
            if d.condition is not Condition.COMPLETED or d.name in completes
            else replace(d, condition=Condition.STARTED)
            for d in component.depends_on
        ),
    )


def _execution(name: str, chance: random.Random) -> ProcessExecution:
    return ProcessExecution((f"serve-{chance.randint(1, 1000)}",), "/", f"/logs/{name}.log")


def _dependency(other: ComponentSpec, chance: random.Random) -> Dependency:
    conditions = [Condition.STARTED, Condition.READY]
    if other.restart in (RestartPolicy.NEVER, RestartPolicy.ON_FAILURE):
        conditions.append(Condition.COMPLETED)
    return Dependency(other.name, chance.choice(conditions), chance.random() < 0.3)


def _probe(kind: ProbeKind, chance: random.Random) -> ProbeSpec:
    return ProbeSpec(
        kind,
        tcp=TcpCheck(80),
        initial_delay=chance.choice([0.0, 0.0, 1.5]),
        period=chance.choice([0.3, 1.0, 7.0]),
        timeout=chance.choice([0.2, 1.0]),
        success_threshold=chance.choice([1, 2]) if kind is ProbeKind.READINESS else 1,
        failure_threshold=chance.choice([1, 2, 3]),
        termination_grace=chance.choice([None, 0.5]) if kind is not ProbeKind.READINESS else None,
    )
