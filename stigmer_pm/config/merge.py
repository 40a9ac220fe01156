"""Merging ``defaults`` under a component: mappings merge, all else is replaced.

Two spellings of one thing are one thing: a list of ``NAME=VALUE`` merges as the mapping that it stands for, a
``livenessProbe`` merges with a ``liveness`` beneath it, and ``periodSeconds`` replaces ``period``. A probe's handler
replaces another one beneath it, for a probe has one.
"""

from __future__ import annotations

from stigmer_pm.config.errors import Path
from stigmer_pm.config.nodes import Entry, MappingNode, Node, Scalar, SequenceNode, is_null
from stigmer_pm.config.spellings import HANDLERS, SPELLINGS

_PAIRS = frozenset(("environment", "labels"))


def merge_defaults(defaults: MappingNode, component: MappingNode) -> MappingNode:
    """The component with what it doesn't say itself from ``defaults``."""
    return _merge(defaults, component, ())


def _merge(base: MappingNode, over: MappingNode, path: Path) -> MappingNode:
    entries = dict(base.entries)
    if path == ("probes",):
        _respell(entries, over)
    elif path[:1] == ("probes",) and len(path) == 2:
        _drop_what_is_said(entries, over)
    for key, entry in over.entries.items():
        under = entries.get(key)
        node = entry.node if under is None else _merged(under.node, entry.node, (*path, key))
        entries[key] = Entry(node, entry.line, entry.column)
    return MappingNode(entries, over.line, over.column)


def _merged(base: Node, over: Node, path: Path) -> Node:
    if len(path) == 1 and path[0] in _PAIRS:
        base, over = _as_mapping(base), _as_mapping(over)
    if isinstance(base, MappingNode) and isinstance(over, MappingNode):
        return _merge(base, over, path)
    return over


def _as_mapping(node: Node) -> Node:
    """A list of ``NAME=VALUE`` as a mapping; anything else, and a list with something else in it, as it is."""
    if not isinstance(node, SequenceNode):
        return node
    entries: dict[str, Entry] = {}
    for item in node.items:
        if not isinstance(item, Scalar) or is_null(item):
            return node
        name, equals, value = item.text.partition("=")
        if not name or name in entries:
            return node
        scalar = item._replace(text=value if equals else "", value=value if equals else None)
        entries[name] = Entry(scalar, item.line, item.column)
    return MappingNode(entries, node.line, node.column)


def _respell(entries: dict[str, Entry], over: MappingNode) -> None:
    """Give the probes in ``entries`` the spelling that ``over`` has for them."""
    spelled = {SPELLINGS.get(key, key): key for key in over.entries}
    for key in list(entries):
        other = spelled.get(SPELLINGS.get(key, key), key)
        if key not in over.entries and other not in entries:
            entries[other] = entries.pop(key)


def _drop_what_is_said(entries: dict[str, Entry], over: MappingNode) -> None:
    """Take out of ``entries`` the fields of a probe that ``over`` spells otherwise, and other handlers."""
    said = {SPELLINGS.get(key, key) for key in over.entries}
    has_handler = any(key in HANDLERS for key in over.entries)
    for key in list(entries):
        is_said = SPELLINGS.get(key, key) in said or (has_handler and key in HANDLERS)
        if is_said and key not in over.entries:
            del entries[key]
