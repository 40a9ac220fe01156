"""Choosing components by name, pattern and label where no supervisor can be asked to."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence

from stigmer_pm.cli.errors import CliError, nearest


def matching(
    patterns: Sequence[str], labels: Sequence[tuple[str, str]], known: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Those of ``known`` (each with its labels) that are chosen, in its order; all of them when nothing is named.

    Raises:
        CliError: a pattern, or the labels, match nothing.
    """
    chosen = set() if patterns else set(known)
    for pattern in patterns:
        found = {pattern} & known.keys() or set(fnmatch.filter(known, pattern))
        if not found:
            raise CliError(
                f"no component is called '{pattern}'{nearest(pattern, known)}",
                f"there is: {', '.join(list(known)[:8])}{', …' if len(known) > 8 else ''}",
            )
        chosen |= found
    wanted = dict(labels).items()
    names = [name for name in known if name in chosen and wanted <= dict(known[name]).items()]
    if labels and not names:
        raise CliError(f"no component has the label {', '.join(f'{key}={value}' for key, value in wanted)}")
    return names
