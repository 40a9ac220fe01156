"""What marks the containers and networks of a project, so that they are found again and told from everybody else's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from stigmer_pm.spec import ComponentSpec, ContainerExecution
from stigmer_pm.spec.codec import encode

#: Tells this project from any other, also from a copy of it in another folder.
KEY = "stigmer-pm.key"
PROJECT = "stigmer-pm.project"
COMPONENT = "stigmer-pm.component"
INSTANCE = "stigmer-pm.instance"
RUN = "stigmer-pm.run"
#: Tells what was executed from what would be after an edit.
SPEC = "stigmer-pm.spec"


def labels_of(key: str, instance: str, run: int, spec: ComponentSpec, execution: ContainerExecution) -> dict[str, str]:
    """All labels of a container: the component's own, and ours."""
    return {
        **spec.labels,
        KEY: key,
        PROJECT: execution.project,
        COMPONENT: spec.name,
        INSTANCE: instance,
        RUN: str(run),
        SPEC: fingerprint(execution),
    }


def fingerprint(execution: ContainerExecution) -> str:
    """The same for what is executed in the same way."""
    return hashlib.sha256(json.dumps(encode(execution), sort_keys=True).encode()).hexdigest()[:16]


def run_number(labels: Mapping[str, str]) -> int:
    """The run that a container was made for; 0 when nobody can tell."""
    text = labels.get(RUN, "")
    return int(text) if text.isdecimal() and text.isascii() else 0
