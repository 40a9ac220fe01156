"""The document of a file with its variables filled in and ``defaults`` merged: what loading and showing share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stigmer_pm.config.inputs import Inputs
from stigmer_pm.config.interpolation import fill_in
from stigmer_pm.config.merge import merge_defaults
from stigmer_pm.config.nodes import Entry, MappingNode, Node, child, is_null, size_of
from stigmer_pm.config.problems import Problems
from stigmer_pm.config.variables import Variables, read_variables
from stigmer_pm.config.yaml_reader import read_yaml

# Values that ``defaults`` may add to all components: 200 for each of 5000. Two lists of thousands under one another
# would otherwise be a "billion laughs" without an alias.
MOST_MERGED = 1_000_000


@dataclass(frozen=True, slots=True)
class Read:
    """A file that has been read, but not yet checked. ``own_keys``: what each component says itself.

    ``env_files`` holds the variables of each ``env_file`` that a component has named so far.
    """

    file: str
    document: MappingNode
    own_keys: Mapping[str, frozenset[str]]
    variables: Variables
    inputs: Inputs
    problems: Problems
    env_files: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def components(self) -> Mapping[str, Entry]:
        """The components by name; empty when there is no mapping of them."""
        node = child(self.document, "components")
        return node.entries if isinstance(node, MappingNode) else {}


def read(file: str, environ: Mapping[str, str]) -> Read:
    """Read the file and what it is filled in from.

    Raises:
        ConfigError: it can't be read to its end.
    """
    problems, inputs = Problems(file), Inputs()
    raw = read_yaml(file, inputs.read(file), problems)
    variables = read_variables(raw, file, environ, problems, inputs)
    filled = fill_in(raw, variables.values, problems)
    document, own_keys = _merged(filled, problems)
    return Read(file, document, own_keys, variables, inputs, problems)


def _merged(document: MappingNode, problems: Problems) -> tuple[MappingNode, Mapping[str, frozenset[str]]]:
    components, defaults = child(document, "components"), child(document, "defaults")
    if not isinstance(components, MappingNode):
        return document, {}
    if defaults is not None and size_of(defaults) * len(components.entries) > MOST_MERGED:
        words = (
            f"'defaults' stands for more than {MOST_MERGED} values under all components; move what some of them need"
        )
        problems.add_at(document, ("defaults",), f"{words} to an 'x-' mapping, and merge it with '<<'", at_key=True)
        problems.raise_any()
    own_keys: dict[str, frozenset[str]] = {}
    entries: dict[str, Entry] = {}
    for name, entry in components.entries.items():
        node = _as_mapping(entry)
        own_keys[name] = frozenset(node.entries) if isinstance(node, MappingNode) else frozenset()
        if isinstance(defaults, MappingNode) and isinstance(node, MappingNode):
            node = merge_defaults(defaults, node)
        entries[name] = Entry(node, entry.line, entry.column)
    merged = MappingNode(entries, components.line, components.column)
    place = document.entries["components"]
    return document._replace(
        entries={**document.entries, "components": Entry(merged, place.line, place.column)}
    ), own_keys


def _as_mapping(entry: Entry) -> Node:
    """A component with nothing under its name has all from ``defaults``."""
    return MappingNode({}, entry.line, entry.column) if is_null(entry.node) else entry.node
