"""A file to its spec, or to everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from stigmer_pm.config.collector import no_collection
from stigmer_pm.config.dependencies import complain_of_cycles, complain_of_profiles, resolve_dependencies
from stigmer_pm.config.locate import default_state_dir
from stigmer_pm.config.model import File
from stigmer_pm.config.model_component import Component
from stigmer_pm.config.names import COMPONENT_NAME, project_name
from stigmer_pm.config.nodes import MappingNode, child, is_null
from stigmer_pm.config.reading import Read, read
from stigmer_pm.config.resolve_component import resolve_component
from stigmer_pm.config.resolve_context import Part, Project
from stigmer_pm.config.resolve_shared import check_count_of_ports, complain_of_shared
from stigmer_pm.config.validate import check
from stigmer_pm.spec.project import ProjectSpec

# A machine runs out of pids (32 768, unless it is told otherwise) before a project of this size has started all its
# processes and probes. Checking and resolving takes half a second for so many.
MOST_COMPONENTS = 10_000

# The kernel takes 4095 bytes (PATH_MAX), and the logs and pid files in it are called as the components are.
LONGEST_STATE_DIR = 3800


def load(
    file: str, environ: Mapping[str, str], *, profiles: Collection[str] = (), names: Collection[str] = ()
) -> ProjectSpec:
    """Read, check and resolve a file.

    Args:
        file: its path.
        environ: the caller's environment, for ``${VAR}`` and for variables that are passed on.
        profiles: the chosen profiles (``*``: all); what isn't in one of them is checked as well, but may be missed by
            nothing that is chosen.
        names: components (or glob patterns) named on the command line; they and what they need count as chosen.

    Raises:
        ConfigError: it can't be used; holds everything that is wrong with it.
    """
    with no_collection():
        found = read(os.path.abspath(file), environ)
        return resolve(found, profiles, names)


def resolve(found: Read, profiles: Collection[str], names: Collection[str]) -> ProjectSpec:
    """The spec of a file that has been read.

    Raises:
        ConfigError: something is wrong with it.
    """
    project = _project(found)
    _check_components(found)
    parts = _parts(found, project)
    check_count_of_ports(parts)
    known = found.components().keys()
    components = [resolve_component(part, resolve_dependencies(part, parts, known)) for part in parts.values()]
    complain_of_cycles(parts)
    complain_of_profiles(parts, components, profiles, names)
    complain_of_shared(parts, components)
    found.problems.raise_any()
    return ProjectSpec(project.name, found.file, project.state_dir, tuple(components), found.inputs.files())


def _project(found: Read) -> Project:
    """What the top level says; ``defaults`` is checked by itself, so that its errors are told once and at its place."""
    apart = ("components", "defaults")
    document = found.document
    top = document._replace(entries={k: entry for k, entry in document.entries.items() if k not in apart})
    checked = check(File, top, (), found.problems, document)
    model = checked.model or File.model_construct()
    defaults = child(document, "defaults")
    if defaults is not None and not is_null(defaults):
        check(Component, defaults, ("defaults",), found.problems, document, partial=True)
    name = model.project or project_name(os.path.dirname(found.file))
    project = Project(found, name, default_state_dir(found.file))
    if model.state_dir is None:
        return project
    state_dir = project.absolute(model.state_dir)
    if len(os.fsencode(state_dir)) > LONGEST_STATE_DIR or any(len(os.fsencode(n)) > 255 for n in state_dir.split("/")):
        words = f"expected a path of at most {LONGEST_STATE_DIR} bytes, and names in it of at most 255"
        found.problems.add_at(document, ("state_dir",), words)
    return Project(found, name, state_dir)


def _check_components(found: Read) -> None:
    node = child(found.document, "components")
    if node is None:
        # Of a Compose file, it is enough to say that of its services.
        if child(found.document, "services") is None:
            found.problems.add((), 1, 1, "expected 'components', which is required")
    elif is_null(node) or (isinstance(node, MappingNode) and not node.entries):
        found.problems.add_at(found.document, ("components",), "expected at least one component", at_key=True)
    elif not isinstance(node, MappingNode):
        found.problems.add_at(found.document, ("components",), "expected a mapping of names to components")
    if len(found.components()) > MOST_COMPONENTS:
        words = f"expected at most {MOST_COMPONENTS} components, found {len(found.components())}"
        found.problems.add_at(found.document, ("components",), words, at_key=True)
        found.problems.raise_any()
    for name in found.components():
        if not COMPONENT_NAME.fullmatch(name):
            words = "expected a name of at most 63 letters, digits, '.', '_' and '-' that begins with a letter or digit"
            found.problems.add_at(found.document, ("components", name), f"{words}, found '{name:.80}'", at_key=True)


def _parts(found: Read, project: Project) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for name, entry in found.components().items():
        checked = check(Component, entry.node, ("components", name), found.problems, found.document)
        if checked.model is not None:
            parts[name] = Part(project, name, checked, checked.model, found.own_keys[name])
    return parts
