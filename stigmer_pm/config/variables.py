"""Where ``${VAR}`` comes from: the caller's environment, then ``.env`` beside the file or the top ``env_file``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from stigmer_pm.config.errors import ConfigError, Path
from stigmer_pm.config.inputs import Inputs
from stigmer_pm.config.interpolate import InterpolationError, interpolate
from stigmer_pm.config.nodes import MappingNode, Node, Scalar, SequenceNode, child, is_null
from stigmer_pm.config.paths import absolute
from stigmer_pm.config.problems import Problems


@dataclass(frozen=True, slots=True)
class Variables:
    """``values`` is what ``${VAR}`` means; ``environ`` is the caller's part of it alone."""

    environ: Mapping[str, str]
    values: Mapping[str, str]


def read_variables(
    document: MappingNode, file: str, environ: Mapping[str, str], problems: Problems, inputs: Inputs | None = None
) -> Variables:
    """All variables there are for ``document``. What is wrong with the files is noted in ``problems``."""
    inputs = Inputs() if inputs is None else inputs
    named = child(document, "env_file")
    if named is None or is_null(named):
        path = os.path.join(os.path.dirname(os.path.abspath(file)), ".env")
        content = _read_default(path, problems, inputs)
        found = {} if content is None else _parse(path, content, Variables(environ, environ), problems)
    else:
        found = {}
        for place, scalar in _paths(named):
            known = Variables(environ, {**found, **environ})
            found |= _read_named(place, scalar, file, known, problems, inputs)
    return Variables(environ, {**found, **environ})


def _paths(node: Node) -> list[tuple[Path, Scalar]]:
    """The file names under ``env_file``; what is none is left to the model to complain of."""
    if isinstance(node, Scalar):
        return [(("env_file",), node)]
    if isinstance(node, SequenceNode):
        return [(("env_file", i), item) for i, item in enumerate(node.items) if isinstance(item, Scalar)]
    return []


def _read_default(path: str, problems: Problems, inputs: Inputs) -> bytes | None:
    try:
        return inputs.read_optional(path)
    except ConfigError as error:
        for problem in error.problems:
            problems.add((), 0, 0, problem.message, file=path)
        return None


def _read_named(
    place: Path, scalar: Scalar, file: str, known: Variables, problems: Problems, inputs: Inputs
) -> dict[str, str]:
    if not isinstance(scalar.value, str) or not scalar.text or "\0" in scalar.text:
        return {}
    try:
        path = absolute(interpolate(scalar.text, known.values), file, known.environ)
        content = inputs.read(path)
    except InterpolationError as error:
        # It is said again when the whole document is filled in, unless a file further down sets the variable.
        problems.add(place, scalar.line, scalar.column, str(error))
        return {}
    except ConfigError as error:
        for problem in error.problems:
            problems.add(place, scalar.line, scalar.column, f"{problem.message} ({problem.file})")
        return {}
    return _parse(path, content, known, problems)


def _parse(path: str, content: bytes, known: Variables, problems: Problems) -> dict[str, str]:
    from stigmer_pm.config.dotenv import parse_dotenv  # most projects have no such file

    try:
        found = parse_dotenv(path, content, known.environ, problems, known.values)
    except ConfigError as error:
        for problem in error.problems:
            problems.add((), problem.line, problem.column, problem.message, file=path)
        return {}
    return {name: value for name, value in found.items() if value is not None}
