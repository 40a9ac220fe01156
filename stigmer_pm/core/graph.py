"""The graph of ``depends_on``: what a component needs, and what needs it. Pure functions over names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Edges = Mapping[str, Iterable[str]]


def closure(names: Iterable[str], edges: Edges) -> set[str]:
    """``names`` and everything they need, directly or not."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(edges.get(name, ()))
    return found


def reverse(edges: Edges) -> dict[str, tuple[str, ...]]:
    """For each name, the names that need it directly, in the order of ``edges``."""
    found: dict[str, list[str]] = {name: [] for name in edges}
    for name, needed in edges.items():
        for other in needed:
            found.setdefault(other, []).append(name)
    return {name: tuple(others) for name, others in found.items()}


def heaviest_chain(weights: Mapping[str, float], edges: Edges) -> float:
    """The greatest sum of weights along any path; of names that are no key of ``weights`` nothing is known.

    ``edges`` must have no cycle; what lies on one is left out.
    """
    needs = {name: [other for other in dict.fromkeys(edges.get(name, ())) if other in weights] for name in weights}
    open_needs = {name: len(others) for name, others in needs.items()}
    needed_by = reverse(needs)
    sums: dict[str, float] = {}
    pending = [name for name, count in open_needs.items() if count == 0]
    while pending:
        name = pending.pop()
        sums[name] = weights[name] + max((sums[other] for other in needs[name]), default=0.0)
        for other in needed_by[name]:
            open_needs[other] -= 1
            if open_needs[other] == 0:
                pending.append(other)
    return max(sums.values(), default=0.0)
