"""The file as it is resolved, for people: variables filled in, ``defaults`` merged, in the file's own spelling."""

from __future__ import annotations

import os
from collections.abc import Mapping

from stigmer_pm.config.errors import Path
from stigmer_pm.config.loading import resolve
from stigmer_pm.config.nodes import MappingNode, Node, Plain, Scalar
from stigmer_pm.config.reading import read
from stigmer_pm.config.yaml_scalars import resolve_plain

# Values here are text whatever they look like.
_TEXTS = frozenset(("environment", "labels", "headers", "httpHeaders", "command", "entrypoint", "description"))


def resolved_document(file: str, environ: Mapping[str, str]) -> dict[str, Plain]:
    """The document of a valid file as plain values. ``defaults`` is left out, for it is merged into the components.

    Dollar signs are shown as they arrive, so the result is no input with the same meaning where it has any.

    Raises:
        ConfigError: the file has errors.
    """
    found = read(os.path.abspath(file), environ)
    resolve(found, ("*",), ())
    return {key: _plain(entry.node, (key,)) for key, entry in found.document.entries.items() if key != "defaults"}


def _plain(node: Node, path: Path) -> Plain:
    if isinstance(node, MappingNode):
        return {key: _plain(entry.node, (*path, key)) for key, entry in node.entries.items()}
    if not isinstance(node, Scalar):
        return [_plain(item, path) for item in node.items]
    if node.value is None:
        return None
    if _TEXTS.intersection(str(part) for part in path[2:]):
        return node.text
    if node.is_interpolated and node.is_plain:
        found = resolve_plain(node.text)
        return node.text if found is None else found
    return node.value
