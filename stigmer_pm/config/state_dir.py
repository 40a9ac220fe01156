"""The state folder of a file whose other fields don't matter now."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from stigmer_pm.config.errors import ConfigError
from stigmer_pm.config.interpolate import InterpolationError, interpolate
from stigmer_pm.config.locate import default_state_dir
from stigmer_pm.config.nodes import MappingNode, Scalar, child
from stigmer_pm.config.paths import absolute
from stigmer_pm.config.problems import Problems
from stigmer_pm.config.variables import read_variables
from stigmer_pm.config.yaml_reader import read_yaml

# The line of a file that is broken elsewhere: what runs must still be found while the file is being edited. A bare
# value ends in what is no blank, so that blanks after it can be read in one way only: two ways take the square of them.
_VALUE = rb"(?:\"([^\"\\$\n]+)\"|'([^'$\n]+)'|([^\"'$#&*!|>\[{\s](?:[^$#\n]*[^$#\s])?))"
_LINE = re.compile(rb"^[\"']?state_dir[\"']?:[ \t]+" + _VALUE + rb"[ \t\r]*(?:[ \t]#.*)?$", re.MULTILINE)


def state_dir_of(file: str, content: bytes, environ: Mapping[str, str]) -> str:
    """The absolute path of the state folder.

    Raises:
        ConfigError: the file is no YAML and has no such line, or its ``state_dir`` is no path.
    """
    try:
        document = read_yaml(file, content, Problems(file))
    except ConfigError:
        found = _LINE.search(content)
        if found is None:
            raise
        text = (found[1] or found[2] or found[3]).decode("utf-8", errors="replace")
        return absolute(text, file, environ)
    return _resolve(document, file, environ)


def _resolve(document: MappingNode, file: str, environ: Mapping[str, str]) -> str:
    found = child(document, "state_dir")
    if found is None:
        return default_state_dir(file)
    problems = Problems(file)
    path = found.text if isinstance(found, Scalar) and isinstance(found.value, str) else ""
    if "$" in path:
        try:
            path = interpolate(path, read_variables(document, file, environ, Problems(file, math.inf)).values)
        except InterpolationError as error:
            problems.add(("state_dir",), found.line, found.column, str(error))
            raise problems.error() from None
    if not path or "\0" in path:
        problems.add(("state_dir",), found.line, found.column, "expected a path")
        raise problems.error()
    return absolute(path, file, environ)
