"""What applying a file would change: the new specs beside the applied ones, field by field.

A difference in what is executed restarts the component; any other difference is applied to what runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from stigmer_pm.core.graph import closure
from stigmer_pm.core.state import Desired, InstanceState, Phase
from stigmer_pm.spec import ComponentSpec, ProjectSpec, RestartPolicy


class Action(StrEnum):
    """What happens to one component."""

    START = "start"
    RESTART = "restart"
    UPDATE = "update"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Change:
    """One component that applying the file would touch, which fields differ, and why it is touched."""

    name: str
    action: Action
    fields: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change, in the order of the file (removed components last), and which components must run after."""

    changes: tuple[Change, ...]
    unchanged: int
    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an ``up`` is about: the components named, or else all that belong to no profile or to a chosen one."""

    names: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


Lookup = Callable[[str], InstanceState | None]

#: How the fields of what is executed are called in stigmer.yaml, where the name differs.
_FILE_NAMES = {"argv": "command", "mounts": "volumes", "success": "success_exit_codes"}


def make_plan(applied: Mapping[str, ComponentSpec], state_of: Lookup, new: ProjectSpec, scope: Scope) -> Plan:
    """Compare ``new`` with what is applied and with what runs.

    What lies outside of the scope is neither started, stopped nor compared (Compose's rule for profiles); a component
    that is no longer in the file at all is stopped, unless names were given.
    """
    edges = {c.name: [d.name for d in c.depends_on] for c in new.components}
    in_scope = in_scope_names(new, scope)
    wanted = _wanted(new, edges, in_scope, scope)
    changes: list[Change] = []
    for spec in new.components:
        if spec.name in in_scope:
            change = _compare(
                applied.get(spec.name), spec, state_of(spec.name), wanted=spec.name in wanted, scope=scope
            )
            if change is not None:
                changes.append(change)
    touched = len(changes)
    if not scope.names:
        gone = [name for name in applied if name not in edges]
        changes += [Change(name, Action.STOP, reason="removed from the file") for name in gone]
    names = tuple(c.name for c in new.components if c.name in wanted and not _stays_stopped(c, state_of(c.name), scope))
    return Plan(tuple(changes), len(in_scope) - touched, names)


def in_scope_names(new: ProjectSpec, scope: Scope) -> set[str]:
    """The names that an ``up`` with this scope is about, dependencies included."""
    edges = {c.name: [d.name for d in c.depends_on] for c in new.components}
    if scope.names:
        return closure(scope.names, edges) & edges.keys()
    chosen = [c.name for c in new.components if not c.profiles or set(c.profiles) & set(scope.profiles)]
    return closure(chosen, edges) & edges.keys()


def differing_fields(old: ComponentSpec, new: ComponentSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields that differ, by the names of the file: those that restart, and those that are applied live."""
    live = tuple(
        _FILE_NAMES.get(f.name, f.name)
        for f in fields(ComponentSpec)
        if f.name not in ("process", "container") and getattr(old, f.name) != getattr(new, f.name)
    )
    return _differing(old.process, new.process) + _differing(old.container, new.container), live


def _differing(old: object, new: object) -> tuple[str, ...]:
    if old == new:
        return ()
    if old is None or new is None:
        return ("image",) if type(new or old).__name__ == "ContainerExecution" else ("command",)
    names = [f.name for f in fields(old) if getattr(old, f.name) != getattr(new, f.name)]  # type: ignore[arg-type]
    return tuple(_FILE_NAMES.get(name, name) for name in names)


def _wanted(new: ProjectSpec, edges: Mapping[str, Collection[str]], in_scope: set[str], scope: Scope) -> set[str]:
    """Those that are to run: named, or ``autostart``, and whatever they need."""
    if scope.names:
        return closure(scope.names, edges) & in_scope
    return closure([c.name for c in new.components if c.autostart and c.name in in_scope], edges) & in_scope


def _compare(
    old: ComponentSpec | None, new: ComponentSpec, state: InstanceState | None, *, wanted: bool, scope: Scope
) -> Change | None:
    starts = wanted and not _stays_stopped(new, state, scope)
    if old is None:
        return Change(new.name, Action.START if starts else Action.UPDATE, (), "new")
    restarting, live = differing_fields(old, new)
    runs = state is not None and (state.run is not None or state.phase is Phase.WAITING)
    if restarting and runs and state is not None and state.desired is Desired.RUNNING:
        return Change(new.name, Action.RESTART, (*restarting, *live), "edited")
    if starts and (restarting or _is_to_be_started(new, state)):
        return Change(new.name, Action.START, (*restarting, *live), "edited" if restarting else _rest_words(state))
    if restarting or live:
        return Change(new.name, Action.UPDATE, (*restarting, *live), "edited")
    return None


def _rest_words(state: InstanceState | None) -> str:
    """Why one whose spec has not changed is started."""
    if state is None:
        return "new"
    return (
        f"it has {state.phase.value}"
        if state.phase in (Phase.FAILED, Phase.COMPLETED)
        else f"it is {state.phase.value}"
    )


def _is_to_be_started(spec: ComponentSpec, state: InstanceState | None) -> bool:
    """It is to run and doesn't. One that has completed has done what it was for, unless its policy says otherwise.

    One in backoff is on its way already: an ``up`` that changes nothing must not shorten its wait or clear its count,
    or whoever calls ``up`` again and again keeps a crash loop going at full speed.
    """
    if state is None or state.desired is Desired.STOPPED:
        return state is None or state.phase is not Phase.COMPLETED
    if state.phase is Phase.COMPLETED:
        return spec.restart in (RestartPolicy.ALWAYS, RestartPolicy.UNLESS_STOPPED)
    return state.phase in (Phase.STOPPED, Phase.FAILED)


def _stays_stopped(spec: ComponentSpec, state: InstanceState | None, scope: Scope) -> bool:
    """Docker's ``unless-stopped``: what was stopped by hand stays so, unless it is named."""
    return (
        spec.restart is RestartPolicy.UNLESS_STOPPED
        and state is not None
        and state.is_stopped_by_hand
        and spec.name not in scope.names
    )
