"""Names of projects and components."""

from __future__ import annotations

import os
import re

PROJECT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
COMPONENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

_NO_PART_OF_A_NAME = re.compile(r"[^a-z0-9_-]")


def project_name(folder: str) -> str:
    """The name of a project whose file says none: the folder's, in lower case, other characters as ``-``.

    A folder without a letter or digit in its name (``/``) gives ``project``.
    """
    name = _NO_PART_OF_A_NAME.sub("-", os.path.basename(folder).lower()).strip("-_")
    return name[:63] or "project"
