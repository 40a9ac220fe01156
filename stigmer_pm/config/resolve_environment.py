"""The environment that a component's file names: its ``env_file``, and ``environment`` over it."""

from __future__ import annotations

from stigmer_pm.config.errors import ConfigError
from stigmer_pm.config.nodes import SequenceNode, child, locate
from stigmer_pm.config.resolve_context import Part


def resolve_environment(part: Part) -> dict[str, str]:
    """What the file names. A null value is the caller's variable, and nothing when the caller has none."""
    found: dict[str, str | None] = {}
    for index, path in enumerate(part.model.env_file or ()):
        found |= _read(part, index, path)
    found |= part.model.environment or {}
    environ = part.project.environ
    passed_on = {name: environ[name] for name, value in found.items() if value is None and name in environ}
    return {name: passed_on[name] if value is None else value
            for name, value in found.items() if value is not None or name in passed_on}  # fmt: skip


def _read(part: Part, index: int, name: str) -> dict[str, str | None]:
    from stigmer_pm.config.dotenv import parse_dotenv  # most components have no such file

    read = part.project.read
    path = part.project.absolute(name)
    if path in read.env_files:
        return read.env_files[path]
    try:
        content = read.inputs.read(path)
    except ConfigError as error:
        component = locate(part.project.document, ("components", part.name)).node
        place = ("env_file", index) if isinstance(child(component, "env_file"), SequenceNode) else ("env_file",)
        for problem in error.problems:
            part.complain(f"{problem.message} ({problem.file})", *place)
        return {}
    read.env_files[path] = {}
    try:
        variables = read.variables
        read.env_files[path] = parse_dotenv(path, content, variables.environ, read.problems, variables.values)
    except ConfigError as error:
        for problem in error.problems:
            read.problems.add((), problem.line, problem.column, problem.message, file=path)
    return read.env_files[path]
