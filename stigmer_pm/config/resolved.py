"""The file as it is resolved, for people: variables filled in, ``defaults`` merged, in the file's own spelling."""

from __future__ import annotations

import os
from collections.abc import Mapping

from stigmer_pm.config.collector import no_collection
from stigmer_pm.config.loading import resolve
from stigmer_pm.config.nodes import MappingNode, Node, Plain, Scalar
from stigmer_pm.config.reading import read
from stigmer_pm.config.yaml_scalars import resolve_plain

# Fields of the file and of a component whose values are text whatever they look like.
_TOP_TEXTS = frozenset(("project", "env_file", "state_dir"))
_TEXTS = frozenset(
    ("command", "image", "entrypoint", "networks", "container_name", "platform", "description", "labels", "working_dir",
     "environment", "env_file", "user", "group", "umask", "profiles")
)  # fmt: skip
# The same of what lies under these fields, at any depth.
_MIXED = frozenset(("ports", "probes", "log"))
_INNER_TEXTS = frozenset(
    ("path", "host", "host_ip", "name", "scheme", "protocol", "app_protocol", "headers", "httpHeaders", "exec",
     "command")
)  # fmt: skip
# What is no text under volumes.
_FLAGS_OF_VOLUMES = (("read_only",), ("external",), ("create_host_path",), ("nocopy",))


def resolved_document(file: str, environ: Mapping[str, str]) -> dict[str, Plain]:
    """The document of a valid file as plain values. ``defaults`` is left out, for it is merged into the components.

    Dollar signs are shown as they arrive, so the result is no input with the same meaning where it has any.

    Raises:
        ConfigError: the file has errors.
    """
    with no_collection():
        found = read(os.path.abspath(file), environ)
        resolve(found, ("*",), ())
    return {key: _plain(entry.node, (key,)) for key, entry in found.document.entries.items() if key != "defaults"}


def _plain(node: Node, path: tuple[str, ...]) -> Plain:
    """``node`` as plain values. ``path`` leads to it through the keys alone."""
    if isinstance(node, MappingNode):
        return {key: _plain(entry.node, (*path, key)) for key, entry in node.entries.items()}
    if not isinstance(node, Scalar):
        return [_plain(item, path) for item in node.items]
    if node.value is None:
        return None
    if _is_text(path):
        return node.text
    if node.is_interpolated:
        found = resolve_plain(node.text.strip())
        return node.text if found is None else found
    return node.value


def _is_text(path: tuple[str, ...]) -> bool:
    """Whether the field at ``path`` takes its value as it is written: the umask ``0o27`` is not 23."""
    if path[0] != "components":
        return path[0] in _TOP_TEXTS
    field, inner = (*path, "", "")[2], path[3:]
    if field == "volumes":
        return inner[-1:] not in _FLAGS_OF_VOLUMES
    if field == "log" and not inner:
        return True
    return field in _TEXTS or (field in _MIXED and not _INNER_TEXTS.isdisjoint(inner))
