"""What the steps of resolving a component share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stigmer_pm.config.errors import Path
from stigmer_pm.config.model_component import Component
from stigmer_pm.config.nodes import MappingNode, Scalar, SequenceNode, child, locate
from stigmer_pm.config.paths import absolute
from stigmer_pm.config.reading import Read
from stigmer_pm.config.validate import Checked


@dataclass(frozen=True, slots=True)
class Project:
    """What holds for all components."""

    read: Read
    name: str
    state_dir: str

    def absolute(self, path: str) -> str:
        """A path of the file."""
        return absolute(path, self.read.file, self.environ)

    @property
    def environ(self) -> Mapping[str, str]:
        """The caller's environment."""
        return self.read.variables.environ

    @property
    def document(self) -> MappingNode:
        """The document, for places."""
        return self.read.document


@dataclass(frozen=True, slots=True)
class Part:
    """One component on its way to its spec. ``own``: the keys that it says itself, and doesn't have from defaults."""

    project: Project
    name: str
    checked: Checked[Component]
    model: Component
    own: frozenset[str]

    def complain(self, message: str, *path: str | int, at_key: bool = False) -> None:
        """Note a problem with the value at ``path`` of the component."""
        place: Path = ("components", self.name, *path)
        self.project.read.problems.add_at(self.project.document, place, message, at_key=at_key)

    def is_whole(self, *path: str | int) -> bool:
        """Nothing at or under ``path`` was wrong, so what it says can be relied on."""
        return self.checked.is_whole(*path)

    def place_of(self, key: str, name: str) -> Path:
        """Where ``key``, a mapping of names or a list of them, has ``name``: from the component's own root."""
        return (key, self.indexes(key).get(name, name))

    def indexes(self, key: str) -> dict[str, int]:
        """Where each name stands in the list under ``key``. Names that stand there twice are noted."""
        node = child(locate(self.project.document, ("components", self.name)).node, key)
        found: dict[str, int] = {}
        for index, item in enumerate(node.items if isinstance(node, SequenceNode) else ()):
            if not isinstance(item, Scalar):
                continue
            if item.text in found:
                self.complain(f"'{item.text:.60}' stands here for the second time", key, index)
            found.setdefault(item.text, index)
        return found
