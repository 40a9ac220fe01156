"""The document as it was read: every value with its place, so that any later error can say where it stands.

The nodes are named tuples and no frozen dataclasses: a file of 1000 components has 30 000 of them, and they are made
in a third of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from stigmer_pm.config.errors import Path

# Characters; a value of this length takes about as long to check as to make a short one anew.
_LONG_TEXT = 64

ScalarValue: TypeAlias = bool | int | float | str | None


class Scalar(NamedTuple):
    """One value. ``text`` is what is written (after interpolation), ``value`` what YAML reads it as.

    ``is_interpolated``: a variable went into it, so its text is read as the type of the field. ``is_unfilled``: its
    variable is not set, which has been said, so nothing more is said about its value.
    """

    text: str
    value: ScalarValue
    line: int
    column: int
    is_interpolated: bool = False
    is_plain: bool = True
    is_unfilled: bool = False


class Entry(NamedTuple):
    """The value of a key, and where the key stands."""

    node: Node
    line: int
    column: int


class MappingNode(NamedTuple):
    """A mapping; keys are text as written."""

    entries: Mapping[str, Entry]
    line: int
    column: int


class SequenceNode(NamedTuple):
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int


Node: TypeAlias = Scalar | MappingNode | SequenceNode
Document: TypeAlias = MappingNode

Data: TypeAlias = "Scalar | dict[str, Data] | list[Data]"
"""A document without the places of its mappings and lists: what the models validate."""

Plain: TypeAlias = "ScalarValue | dict[str, Plain] | list[Plain]"
"""A document as plain values."""


@dataclass(frozen=True, slots=True)
class Located:
    """A place that was looked for. ``path`` is how far the document went; ``is_short``: not all the way."""

    path: Path
    node: Node
    line: int
    column: int
    key_line: int
    key_column: int
    is_short: bool


def locate(document: Node, path: Path) -> Located:
    """The value at ``path``, or the nearest one above it that the document has."""
    node = document
    key_line, key_column = document.line, document.column
    for depth, part in enumerate(path):
        if isinstance(node, MappingNode) and isinstance(part, str) and part in node.entries:
            node, key_line, key_column = node.entries[part]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            key_line, key_column = node.line, node.column
        else:
            is_inside_scalar = isinstance(node, Scalar)  # a short form, such as `backoff: 5s`: its value is meant
            line, column = node.line, node.column
            return Located(path[:depth], node, line, column, key_line, key_column, not is_inside_scalar)
    return Located(path, node, node.line, node.column, key_line, key_column, False)


def child(node: Node, key: str) -> Node | None:
    """The value of ``key``, when ``node`` is a mapping that has it."""
    if isinstance(node, MappingNode):
        entry = node.entries.get(key)
        return None if entry is None else entry.node
    return None


def is_null(node: Node) -> bool:
    """Nothing is written there, or ``null``."""
    return isinstance(node, Scalar) and node.value is None


def size_of(node: Node) -> int:
    """How many values a node holds. A long text counts as several, for each copy of it takes as long to handle."""
    if isinstance(node, Scalar):
        return 1 + len(node.text) // _LONG_TEXT
    items = (entry.node for entry in node.entries.values()) if isinstance(node, MappingNode) else node.items
    return 1 + sum(map(size_of, items))


def data_of(node: Node) -> Data:
    """The node as dictionaries, lists and scalars."""
    if isinstance(node, Scalar):
        return node
    if isinstance(node, MappingNode):
        return {key: data_of(entry.node) for key, entry in node.entries.items()}
    return [data_of(item) for item in node.items]
