"""Handlers of probes that come from other packages: entry points of the group ``stigmer_pm.probes``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from stigmer_pm.config.errors import Path
from stigmer_pm.config.fields import typed
from stigmer_pm.config.model_probe import Probe
from stigmer_pm.config.nodes import Plain, Scalar
from stigmer_pm.config.resolve_context import Part
from stigmer_pm.config.validate import unknown_words
from stigmer_pm.spec.probe import PluginCheck


def find_plugins(part: Part, path: Path, names: Sequence[str]) -> list[str]:
    """Those of ``names`` (no handler of ours is called so) that are installed; the others are complained of."""
    from stigmer_pm.probes.plugins import plugin_types

    known = plugin_types()
    for name in names:
        if name not in known:
            words = unknown_words(Probe, (name,), part.project.read.problems, known)
            part.complain(words, *path, name, at_key=True)
    return [name for name in names if name in known]


def resolve_plugin(part: Part, path: Path, value: object) -> PluginCheck | None:
    """The check at ``path``, with the fields that its own class takes."""
    from stigmer_pm.probes.plugins import PluginUnusable, make_plugin

    name = str(path[-1])
    fields = _plain(value)
    if fields is None:
        fields = {}
    if not isinstance(fields, dict):
        part.complain(f"expected a mapping of the fields of '{name}'", *path)
        return None
    try:
        make_plugin(name, fields)
    except PluginUnusable as error:
        part.complain(str(error), *path)
        return None
    return PluginCheck(name, json.dumps(fields, sort_keys=True))


def _plain(value: object) -> Plain:
    """Values as their text says, for no field of ours says otherwise; a variable's is read anew."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    assert isinstance(value, Scalar), "a document has mappings, lists and scalars"
    found = typed(value)
    assert found is None or isinstance(found, (bool, int, float, str)), "a scalar has a plain value"
    return found
