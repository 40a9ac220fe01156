"""What users have asked for, by the words of the documentation: which components are to run, and which are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from stigmer_pm.core.plan import Scope
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import RESTING, Desired, InstanceState, Phase
from stigmer_pm.spec import ComponentSpec, RestartPolicy


class Counts(Enum):
    """What a command does to the counts of failed runs and of restarts."""

    STAY = auto()
    CLEARED = auto()
    CLEARED_AND_STARTED = auto()
    UNSURE = auto()


@dataclass(frozen=True, slots=True)
class Wish:
    """Whether it is to run, and whether a stop by hand said that it isn't. ``is_gone``: removed from the file."""

    runs: bool
    by_hand: bool = False
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """What one command asks for: the wishes that are others after it, and what it does to counts."""

    wishes: Mapping[str, Wish]
    counts: Mapping[str, Counts]
    is_stop: bool = False


STARTED, STOPPED = Wish(runs=True), Wish(runs=False, by_hand=True)

_AT_REST = {*RESTING, Phase.BACKOFF, Phase.STOPPING}
#: In which phases a command makes the next start one that was asked for. In the others it comes too late, or to what
#: is so already; a start also after a stop that has not begun.
_STARTS = {
    "start": _AT_REST,
    "restart": {*_AT_REST, Phase.STARTING, Phase.RUNNING},
    "reset": {Phase.FAILED, Phase.BACKOFF, Phase.WAITING},
}
#: In which phases a reset only clears counts: what rests stays at rest, and a stop under way goes on.
_RESET_BEGINS_NOTHING = (Phase.STOPPED, Phase.COMPLETED, Phase.STOPPING)


def wish_of(state: InstanceState) -> Wish:
    """What the core has put on record about what is wanted."""
    return Wish(state.desired is Desired.RUNNING, state.is_stopped_by_hand, state.is_removed)


def act(verb: str, names: Sequence[str], project: Project, wishes: Mapping[str, Wish]) -> Command:
    """``start``, ``stop``, ``restart``, ``reset``: what is to run because of it gets what it needs as well."""
    if verb == "stop":
        return stop(names, project, wishes)
    found: dict[str, Wish] = {}
    counts: dict[str, Counts] = {}
    edges = {i.state.name: [d.name for d in i.spec.depends_on] for i in project}
    begun = [n for n in names if verb != "reset" or project[n].state.phase not in _RESET_BEGINS_NOTHING]
    in_need = [n for n in begun if verb != "reset" or project[n].state.run is None]
    needed = closure(in_need, edges) - {*names}
    for name in {*names, *needed}:
        phase, said = project[name].state.phase, verb
        if name not in names:
            if wishes[name].is_gone:
                continue
            rests = not wishes[name].runs and phase is not Phase.COMPLETED
            if not rests and phase is not Phase.FAILED:
                continue
            said = "start"
        counts[name] = _counts(said, project[name].state)
        if said == "start" and any(d.restart for d in project[name].spec.depends_on) and needed:
            # What it needs is started first, and may take it along before its own start is heard.
            counts[name] = Counts.UNSURE
        if said != "reset" or counts[name] is not Counts.CLEARED:
            found[name] = replace(STARTED, is_gone=wishes[name].is_gone)
    return Command(found, counts)


def stop(names: Iterable[str], project: Project, wishes: Mapping[str, Wish]) -> Command:
    """A stop, or a kill."""
    found = {name: replace(STOPPED, is_gone=wishes[name].is_gone) for name in names}
    resting = (Phase.WAITING, Phase.BACKOFF, Phase.FAILED)
    counts = {n: Counts.CLEARED if project[n].state.phase in resting else Counts.STAY for n in found}
    return Command(found, counts, is_stop=True)


def apply(file: Sequence[ComponentSpec], scope: Scope, project: Project, wishes: Mapping[str, Wish]) -> Command:
    """``up``: what is in scope and wanted is to run, but for what ``unless-stopped`` keeps stopped."""
    edges = {c.name: [d.name for d in c.depends_on] for c in file}
    chosen = [c.name for c in file if not c.profiles or set(c.profiles) & set(scope.profiles)]
    in_scope = closure(scope.names or chosen, edges)
    wanted = closure(scope.names or [c.name for c in file if c.autostart and c.name in in_scope], edges)
    found: dict[str, Wish] = {}
    counts: dict[str, Counts] = {}
    for spec in file:
        if spec.name not in in_scope:
            continue
        instance, wish = project.find(spec.name), wishes.get(spec.name)
        is_back = wish is not None and wish.is_gone
        if wish is not None and is_back:
            wish = replace(wish, is_gone=False)
        state = None if instance is None else instance.state
        is_edited = instance is not None and executed(instance.spec) != executed(spec)
        stays = spec.restart is RestartPolicy.UNLESS_STOPPED and wish is not None and wish.by_hand and not is_back
        starts = spec.name in wanted and (not stays or spec.name in scope.names)
        said = _said(spec, state, wish, is_edited=is_edited, starts=starts)
        if said is not None:
            counts[spec.name] = _counts(said, state)
        found[spec.name] = STARTED if said is not None else wish or Wish(runs=False)
    if not scope.names:
        for name, wish in wishes.items():
            if name not in edges and not wish.is_gone:
                found[name] = Wish(runs=False, is_gone=True)
    return Command(found, counts)


def executed(spec: ComponentSpec) -> tuple[object, object]:
    """What is executed: an edit of that restarts."""
    return spec.process, spec.container


def closure(names: Iterable[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
    """``names``, and what they need."""
    found: set[str] = set()
    pending = [name for name in names if name in edges]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += [other for other in edges[name] if other in edges]
    return found


def _said(
    spec: ComponentSpec, state: InstanceState | None, wish: Wish | None, *, is_edited: bool, starts: bool
) -> str | None:
    """What an ``up`` comes to for one component: a start, a restart, or nothing that its life would notice."""
    if state is None or wish is None:
        return "start" if starts else None
    has_run = state.run is not None or state.phase is Phase.WAITING
    if is_edited and has_run and (wish.runs or starts):
        return "restart"
    if not starts:
        return None
    if is_edited or not wish.runs:
        return "start" if is_edited or state.phase is not Phase.COMPLETED else None
    again = spec.restart in (RestartPolicy.ALWAYS, RestartPolicy.UNLESS_STOPPED)
    if state.phase is Phase.FAILED or (state.phase is Phase.COMPLETED and again):
        return "start"
    return None


def _counts(verb: str, state: InstanceState | None) -> Counts:
    if state is None or state.phase in _STARTS[verb]:
        return Counts.CLEARED_AND_STARTED
    if verb == "start" and state.run is not None and state.desired is Desired.STOPPED:
        return Counts.CLEARED_AND_STARTED
    return Counts.CLEARED if verb == "reset" else Counts.STAY
