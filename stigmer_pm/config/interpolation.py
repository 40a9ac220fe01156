"""Filling the variables into a whole document, and leaving out what begins with ``x-``."""

from __future__ import annotations

from collections.abc import Mapping

from stigmer_pm.config.errors import ConfigError, Path
from stigmer_pm.config.interpolate import InterpolationError, interpolate
from stigmer_pm.config.nodes import Entry, MappingNode, Node, Scalar, SequenceNode
from stigmer_pm.config.problems import Problems

# Mappings of a component whose keys are the user's, so that ``x-…`` in them is data. Headers are deeper, in probes.
_FREE = frozenset(("environment", "labels"))
# What all values with variables in them may come to: four times the largest file. More is a file that repeats a long
# variable until the memory is full.
_LONGEST_IN_ALL = 32 << 20


def fill_in(node: MappingNode, variables: Mapping[str, str], problems: Problems) -> MappingNode:
    """The document with the values of ``variables``; what can't be filled in is noted, and stays as it is.

    Raises:
        ConfigError: filled in, it would be too long.
    """
    filled = _Filling(variables, problems).node(node, ())
    assert isinstance(filled, MappingNode), "a mapping stays a mapping"
    return filled


class _Filling:
    def __init__(self, variables: Mapping[str, str], problems: Problems) -> None:
        self._variables = variables
        self._problems = problems
        self._length = 0

    def node(self, node: Node, path: Path) -> Node:
        """The same with its variables filled in."""
        if isinstance(node, Scalar):
            return self.scalar(node, path) if "$" in node.text else node
        if isinstance(node, MappingNode):
            is_free = _is_free(path)
            entries = {
                key: Entry(self.node(entry.node, (*path, key)), entry.line, entry.column)
                for key, entry in node.entries.items()
                if is_free or not key.startswith("x-")
            }
            return MappingNode(entries, node.line, node.column)
        items = tuple(self.node(item, (*path, index)) for index, item in enumerate(node.items))
        return SequenceNode(items, node.line, node.column)

    def scalar(self, scalar: Scalar, path: Path) -> Scalar:
        """Only strings have variables, and ``scalar`` has a dollar sign in it, so it is one."""
        try:
            text = interpolate(scalar.text, self._variables)
        except InterpolationError as error:
            self._problems.add(path, scalar.line, scalar.column, str(error))
            return scalar._replace(is_interpolated=True, is_unfilled=True)
        self._length += len(text)
        if self._length > _LONGEST_IN_ALL:
            words = f"the file is longer than {_LONGEST_IN_ALL >> 20} MiB once its variables are filled in"
            self._problems.add(path, scalar.line, scalar.column, words)
            raise ConfigError(self._problems.error().problems)
        return scalar._replace(text=text, value=text, is_interpolated=text != scalar.text)


def _is_free(path: Path) -> bool:
    inner = path[1:] if path[:1] == ("defaults",) else path[2:]
    return (len(inner) == 1 and inner[0] in _FREE) or (inner[:1] == ("probes",) and inner[-1] == "headers")
