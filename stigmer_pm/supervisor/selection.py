"""Which instances a request is about: names, glob patterns and labels."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from stigmer_pm.core.project import Project
from stigmer_pm.supervisor.errors import Refused

# Characters of a name or pattern; names of components have 63. fnmatch takes the square of a pattern's length and more.
_LONGEST = 256
# Glob patterns of one request. Each is held against every name, and nothing else happens meanwhile: 10,000 of them took
# 8 s with 1000 components, in which no end of a run was seen.
_MOST_PATTERNS = 100


@dataclass(frozen=True, slots=True)
class Selection:
    """``names`` are names or glob patterns; a label narrows them, or selects by itself."""

    names: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    all: bool = False


def select(project: Project, selection: Selection) -> list[str]:
    """The names of the instances, in the order of the file; nothing named means all of them.

    Raises:
        Refused: a name or pattern matches nothing.
    """
    known = [i.state.name for i in project if not i.state.is_removed]
    chosen = set(known)
    if selection.names and not selection.all:
        chosen = _named(selection.names, known)
    labels = selection.labels.items()
    if labels:
        chosen = {n for n in chosen if labels <= dict(project[n].spec.labels).items()}
        if not chosen:
            shown = [f"{k}={v}"[:_LONGEST] for k, v in islice(labels, 5)]
            wanted = ", ".join(shown) + (", …" if len(labels) > len(shown) else "")
            raise Refused(f"no component has the label {wanted}", code="unknown", status=404)
    return [name for name in known if name in chosen]


def _named(patterns: Sequence[str], known: Sequence[str]) -> set[str]:
    chosen = set(known).intersection(patterns)
    others = [pattern for pattern in dict.fromkeys(patterns) if pattern not in chosen]
    for count, pattern in enumerate(others, 1):
        if len(pattern) > _LONGEST:
            words = f"no component is called '{pattern[:60]}…': a name has at most {_LONGEST} characters"
            raise Refused(words, code="unknown", status=404)
        if count > _MOST_PATTERNS:
            raise Refused(
                f"too many patterns: at most {_MOST_PATTERNS} in one request",
                cure="name components without '*', '?' and '[', or take labels",
                code="too-many",
                status=413,
            )
        found = fnmatch.filter(known, pattern)
        if not found:
            raise _unknown(pattern, known)
        chosen.update(found)
    return chosen


def _unknown(pattern: str, known: Sequence[str]) -> Refused:
    near = difflib.get_close_matches(pattern, known, n=3, cutoff=0.5)
    if near:
        return Refused(f"no component is called '{pattern}'; did you mean {_either(near)}?", code="unknown", status=404)
    if not known:
        return Refused(
            f"no component is called '{pattern}'; none is applied",
            cure="apply the file with 'stigmer-pm up'",
            code="unknown",
            status=404,
        )
    if pattern == "all":  # as PM2 and supervisord have it
        return Refused(
            "no component is called 'all'",
            cure="--all means all of them; commands that only look show all when none is named",
            code="unknown",
            status=404,
        )
    listed = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
    return Refused(
        f"no component is called '{pattern}'; there is: {listed}",
        cure="if it is new in stigmer.yaml, apply it with 'stigmer-pm up'",
        code="unknown",
        status=404,
    )


def _either(words: Sequence[str]) -> str:
    quoted = [f"'{word}'" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
