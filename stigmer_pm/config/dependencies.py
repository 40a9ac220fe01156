"""``depends_on`` as a whole: who is meant, which condition, no cycle, nobody in a profile that isn't chosen."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Mapping

from stigmer_pm.config.model_component import Component
from stigmer_pm.config.resolve_context import Part
from stigmer_pm.config.suggestions import did_you_mean
from stigmer_pm.spec.component import ComponentSpec, Condition, Dependency, RestartPolicy

# Their runs never end for good by themselves, so nobody sees them complete.
_NEVER_COMPLETE = (RestartPolicy.ALWAYS, RestartPolicy.UNLESS_STOPPED)
# Names of a cycle in a message: more than anybody makes by hand, and still a line or two.
_MOST_SHOWN = 12


def resolve_dependencies(part: Part, parts: Mapping[str, Part], names: Collection[str]) -> tuple[Dependency, ...]:
    """What a component depends on. ``parts`` are those that can be looked at, ``names`` all there are."""
    found: list[Dependency] = []
    indexes = part.indexes("depends_on")
    for name, block in (part.model.depends_on or {}).items():
        path = ("depends_on", indexes.get(name, name))
        if name not in names:
            hint = did_you_mean(name, names) if part.project.read.problems.may_hint(len(names)) else ""
            part.complain(f"no component is called '{name:.60}'{hint}", *path, at_key=True)
            continue
        other = parts.get(name)
        condition = Condition(block.condition) if block.condition else _default_condition(other)
        if condition is Condition.COMPLETED and other is not None and other.is_whole("restart"):
            policy = other.model.restart.policy if other.model.restart else RestartPolicy.ALWAYS
            if policy in _NEVER_COMPLETE:
                words = (
                    f"'{name}' never completes, for it has 'restart: {policy.value}'; give it 'on-failure' or 'never'"
                )
                part.complain(words, *path, "condition")
        found.append(Dependency(name, condition, bool(block.restart)))
    return tuple(found)


def complain_of_cycles(parts: Mapping[str, Part]) -> None:
    """Note each cycle once, at the first of its components in the file."""
    edges = {name: [n for n in part.model.depends_on or {} if n in parts] for name, part in parts.items()}
    for cycle in find_cycles(edges):
        part = parts[cycle[0]]
        words = f"the components depend on each other in a cycle: {' -> '.join(_shown((*cycle, cycle[0])))}"
        part.complain(words, *part.place_of("depends_on", cycle[1] if len(cycle) > 1 else cycle[0]), at_key=True)


def _shown(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a cycle, without the middle of a long one."""
    if len(names) <= _MOST_SHOWN:
        return names
    return (*names[: _MOST_SHOWN - 4], f"... {len(names) - _MOST_SHOWN + 1} more ...", *names[-3:])


def find_cycles(edges: Mapping[str, list[str]]) -> Iterator[tuple[str, ...]]:
    """Cycles, each from its first component on, and each through one at least that no earlier cycle goes through.

    So there are no more of them than components, where there may be more ways around than anybody could read. No
    recursion: chains may be long.
    """
    order = {name: index for index, name in enumerate(edges)}
    done: set[str] = set()
    told: set[str] = set()
    for root in edges:
        path: list[str] = []
        index_of: dict[str, int] = {}
        untold: list[int] = []  # the indexes of the path that no cycle has gone through yet
        pending = [iter((root,))]
        while pending:
            name = next(pending[-1], None)
            if name is None:
                pending.pop()
                if path:
                    if untold and untold[-1] == len(path) - 1:
                        untold.pop()
                    del index_of[path[-1]]
                    done.add(path.pop())
            elif name in index_of:
                if untold and untold[-1] >= index_of[name]:
                    cycle = path[index_of[name] :]
                    first = min(range(len(cycle)), key=lambda i: order[cycle[i]])
                    yield (*cycle[first:], *cycle[:first])
                    told.update(cycle)
                    untold = [index for index in untold if index < index_of[name]]
            elif name not in done:
                index_of[name] = len(path)
                if name not in told:
                    untold.append(len(path))
                path.append(name)
                pending.append(iter(edges[name]))


def complain_of_profiles(
    parts: Mapping[str, Part], components: Collection[ComponentSpec], profiles: Collection[str], names: Collection[str]
) -> None:
    """Note the chosen components that depend on one whose profile isn't chosen."""
    specs = {component.name: component for component in components}
    chosen = chosen_names(specs, profiles, names)
    for name, spec in specs.items():
        for dependency in spec.depends_on if name in chosen else ():
            if dependency.name in specs and dependency.name not in chosen:
                part = parts[name]
                wanted = specs[dependency.name].profiles
                words = " or ".join(f"'{profile}'" for profile in wanted)
                part.complain(
                    f"'{dependency.name}' is in the profile {words} only; choose it: --profile {wanted[0]}",
                    *part.place_of("depends_on", dependency.name),
                    at_key=True,
                )


def chosen_names(
    specs: Mapping[str, ComponentSpec], profiles: Collection[str], names: Collection[str]
) -> frozenset[str]:
    """The components without a profile or in a chosen one, those named (patterns allowed), and what the named need."""
    pending = [name for name in specs if any(name == p or fnmatch.fnmatchcase(name, p) for p in names)]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += [dependency.name for dependency in specs[name].depends_on if dependency.name in specs]
    is_all = "*" in profiles
    in_profile = {n for n, spec in specs.items() if not spec.profiles or is_all or set(spec.profiles) & set(profiles)}
    return frozenset(found | in_profile)


def _default_condition(other: Part | None) -> Condition:
    return Condition.READY if other is not None and _has_probes(other.model) else Condition.STARTED


def _has_probes(model: Component) -> bool:
    probes = model.probes
    return probes is not None and any(getattr(probes, key) is not None for key in type(probes).model_fields)
