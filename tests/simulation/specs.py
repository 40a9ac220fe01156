"""Random files: a handful of components with rules, probes and dependencies, edits of them, and random programs.

Of each choice the plainest comes first, for that is where hypothesis shrinks to.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from stigmer_pm.spec import (
    Backoff,
    ComponentSpec,
    Condition,
    ContainerExecution,
    Dependency,
    ProbeKind,
    Probes,
    ProbeSpec,
    ProcessExecution,
    RestartPolicy,
    SuccessExits,
    TcpCheck,
)

from .processes import Program

NAMES = ("a", "b", "c", "d", "e")
PROFILE = "debug"


@dataclass(frozen=True, slots=True)
class Taste:
    """What kind of file it is.

    Attributes:
        most: components at most.
        probes: the share of components that have each kind of probe.
        periods: of probes. An attempt costs as much as anything, so short ones are rare where much time passes.
        containers: the share of components that are containers.
        profiles: whether some components belong to a profile.
    """

    most: int = len(NAMES)
    probes: float = 0.3
    periods: tuple[float, ...] = (1.0, 0.4, 4.0, 20.0)
    profiles: bool = True
    containers: float = 0.4


def random_component(
    name: str, before: list[ComponentSpec], chance: random.Random, taste: Taste = Taste()
) -> ComponentSpec:
    """A component that depends on some of those before it."""
    is_container = chance.random() > 1 - taste.containers
    return ComponentSpec(
        name,
        **_executed(name, chance, is_container=is_container),  # type: ignore[arg-type]
        stop_signal=chance.choice([0, 15]) if is_container else 15,
        restart=chance.choice(list(RestartPolicy)),
        min_uptime=chance.choice([0.5, 2.0, 10.0]),
        max_restarts=chance.choice([2, 1, 0, 4, 10, None]),
        restart_window=chance.choice([60.0, 5.0, 600.0]),
        backoff=random_backoff(chance),
        success=_success(chance),
        stop_timeout=chance.choice([0.5, 0.0, 3.0]),
        probes=random_probes(chance, taste),
        depends_on=tuple(_dependency(other, chance) for other in before if chance.random() > 0.6),
        autostart=chance.random() < 0.9,
        profiles=(PROFILE,) if taste.profiles and chance.random() > 0.9 else (),
    )


def random_components(chance: random.Random, taste: Taste = Taste()) -> list[ComponentSpec]:
    """One or more of them, none of which depends on a later one."""
    found: list[ComponentSpec] = []
    for name in NAMES[: chance.randint(1, taste.most)]:
        found.append(random_component(name, found, chance, taste))
    return found


def random_backoff(chance: random.Random) -> Backoff:
    """From short and constant to long and doubling."""
    return Backoff(
        chance.choice([1.0, 0.1, 3.0]),
        chance.choice([2.0, 1.0, 3.0]),
        chance.choice([10.0, 0.5, 60.0]),
        chance.choice([0.0, 0.0, 0.5]),
    )


def random_probes(chance: random.Random, taste: Taste = Taste()) -> Probes:
    """Each kind in a share of all components."""
    return Probes(*(_probe(kind, chance, taste) if chance.random() > 1 - taste.probes else None for kind in ProbeKind))


def random_program(chance: random.Random) -> Program:
    """From one that does all it should to one that does nothing it should."""
    start = chance.random()
    return Program(
        cannot_start=0.9 < start < 0.95,
        is_short=start >= 0.95,
        lives=chance.choice([None, None, None, 0.0, 0.3, 2.5, 11.0]),
        exit_status=chance.choice([0, 256, 768, 11, 15]),
        stops_in=chance.choice([0.1, 0.0, 2.0, None]),
        dies_in=chance.choice([0.0, 0.0, 0.0, 0.0, 0.2, 7.0]),
        leaves=chance.choice([0, 0, 0, 2]),
        leftovers_stop=chance.random() < 0.7,
        healthy_after=chance.choice([0.0, 0.0, 1.0, 9.0, None]),
        sick=chance.random() > 0.85,
        answers_in=chance.choice([0.01, 0.0, 0.5, 5.0]),
        begins_in=chance.choice([0.0, 0.0, 0.3, 2.0, 6.0]),
        is_past_recall=chance.random() > 0.7,
        has_healthcheck=chance.random() > 0.6,
    )


def random_image(chance: random.Random) -> Program:
    """A well-behaved program that takes its time to begin, as a container does."""
    return Program(
        begins_in=chance.choice([0.0, 0.0, 0.3, 2.0]),
        is_past_recall=chance.random() > 0.6,
        has_healthcheck=chance.random() > 0.5,
        healthy_after=chance.choice([0.0, 0.0, 1.0]),
    )


def edited(components: list[ComponentSpec], chance: random.Random, taste: Taste = Taste()) -> list[ComponentSpec]:
    """The file after an edit: something executed or watched is another, a component is new, or one is gone."""
    found = list(components)
    kind = chance.choice(["executed", "executed", "watched", "watched", "new", "new", "gone", "gone", "dependencies"])
    if kind == "new" and len(found) < len(NAMES):
        name = next(n for n in NAMES if n not in {c.name for c in found})
        return [*found, random_component(name, found, chance, taste)]
    if kind == "gone" and len(found) > 1:
        gone = chance.choice(found).name
        return [_without(c, gone) for c in found if c.name != gone]
    at = chance.randrange(len(found))
    component = found[at]
    if kind == "executed":
        # Now and then a container becomes a process, or the other way round.
        is_container = (component.container is not None) is (chance.random() < 0.9)
        found[at] = replace(component, **_executed(component.name, chance, is_container=is_container))  # type: ignore[arg-type]
    elif kind == "dependencies":
        found[at] = replace(
            component, depends_on=tuple(_dependency(c, chance) for c in found[:at] if chance.random() < 0.5)
        )
    else:
        other = random_component(component.name, found[:at], chance, taste)
        names = chance.sample(_WATCHED, 2)
        found[at] = replace(component, **{name: getattr(other, name) for name in names})
    return [_with_possible_conditions(c, found) for c in found]


#: What is edited of how a component is watched.
_WATCHED = (
    "probes",
    "probes",
    "backoff",
    "max_restarts",
    "restart_window",
    "min_uptime",
    "stop_timeout",
    "restart",
    "success",
    "autostart",
    "profiles",
)


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


def _executed(
    name: str, chance: random.Random, *, is_container: bool
) -> dict[str, ProcessExecution | ContainerExecution | None]:
    """What is executed, as the two fields of a component."""
    what, log = f"serve-{chance.randint(1, 1000)}", f"/logs/{name}.log"
    if is_container:
        return {"process": None, "container": ContainerExecution(what, f"p-{name}", "p", log)}
    return {"process": ProcessExecution((what,), "/", log), "container": None}


def _success(chance: random.Random) -> SuccessExits:
    return SuccessExits(chance.choice([(0,), (0, 3), (0, 143)]), chance.choice([(), (15,)]))


def _dependency(other: ComponentSpec, chance: random.Random) -> Dependency:
    conditions = [Condition.STARTED, Condition.READY]
    if other.restart in (RestartPolicy.NEVER, RestartPolicy.ON_FAILURE):
        conditions.append(Condition.COMPLETED)
    return Dependency(other.name, chance.choice(conditions), chance.random() > 0.7)


def _probe(kind: ProbeKind, chance: random.Random, taste: Taste) -> ProbeSpec:
    return ProbeSpec(
        kind,
        tcp=TcpCheck(80),
        initial_delay=chance.choice([0.0, 0.0, 1.5]),
        period=chance.choice(taste.periods),
        timeout=chance.choice([1.0, 0.2]),
        success_threshold=chance.choice([1, 2]) if kind is ProbeKind.READINESS else 1,
        failure_threshold=chance.choice([1, 2, 3]),
        termination_grace=chance.choice([None, 0.5, 4.0]) if kind is not ProbeKind.READINESS else None,
    )
