"""What marks the containers and networks of a project, so that they are found again and told from everybody else's."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from stigmer_pm.spec import ComponentSpec, ContainerExecution
from stigmer_pm.spec.codec import encode

#: Tells this project from any other, also from a copy of it in another folder.
KEY = "stigmer-pm.key"
PROJECT = "stigmer-pm.project"
#: Where its file is, for whoever finds a name taken and has to know by whom.
FILE = "stigmer-pm.file"
COMPONENT = "stigmer-pm.component"
INSTANCE = "stigmer-pm.instance"
RUN = "stigmer-pm.run"
#: Tells what was executed from what would be after an edit.
SPEC = "stigmer-pm.spec"


@dataclass(frozen=True, slots=True)
class Owner:
    """A project as its engine is told of it: ``key`` tells it from every other, ``file`` is for people."""

    key: str
    file: str


def labels_of(
    owner: Owner, instance: str, run: int, spec: ComponentSpec, execution: ContainerExecution
) -> dict[str, str]:
    """All labels of a container: the component's own, and ours."""
    return {
        **spec.labels,
        **project_labels(owner, execution.project),
        COMPONENT: spec.name,
        INSTANCE: instance,
        RUN: str(run),
        SPEC: fingerprint(execution),
    }


def project_labels(owner: Owner, project: str) -> dict[str, str]:
    """The labels of whatever is made for a project."""
    return {KEY: owner.key, PROJECT: project, FILE: owner.file}


def other_project_words(labels: Mapping[str, str], owner: Owner) -> str:
    """Which other project something belongs to that carries these labels."""
    words, file = f"another project '{labels.get(PROJECT, '?')}'", labels.get(FILE, "")
    if not file:
        return words
    # Two machines, or two dev containers, may have one path and one engine.
    return f"{words}, that of {file}{' on another machine' if file == owner.file else ''}"


def way_out_words(labels: Mapping[str, str], owner: Owner, removal: str) -> str:
    """What helps against that. ``removal`` is the command for what is left of a project that is gone."""
    file = labels.get(FILE, "")
    if file and file != owner.file and os.path.exists(file):
        return f"or end that one (stigmer-pm -f {shlex.quote(file)} down)"
    return f"or remove it, if that one is gone ({removal})"


def fingerprint(execution: ContainerExecution) -> str:
    """The same for what is executed in the same way."""
    return hashlib.sha256(json.dumps(encode(execution), sort_keys=True).encode()).hexdigest()[:16]


def run_number(labels: Mapping[str, str]) -> int:
    """The run that a container was made for; 0 when nobody can tell."""
    text = labels.get(RUN, "")
    return int(text) if text.isdecimal() and text.isascii() else 0
