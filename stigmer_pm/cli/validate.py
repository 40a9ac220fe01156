"""``stigmer-pm validate``."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import click

from stigmer_pm.cli.options import chosen_profiles, example, file_option, json_option, profile_option
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.documents import Document
from stigmer_pm.config.errors import ConfigError
from stigmer_pm.spec import ComponentSpec, ProjectSpec


@click.command(
    "validate", short_help="Read the file, and print every error in it.", epilog=example("validate", "validate --json")
)
@file_option()
@json_option
@profile_option
@pass_session
def command(session: Session, profiles: tuple[str, ...], as_json: bool) -> int:
    """Read the file, print every error in it with its place, or say what it declares. Nothing is started or changed.

    Warns of what is no error, and may mean something else than was meant.
    """
    from stigmer_pm.config import load, remarks

    try:
        spec = load(session.file(), session.environ, profiles=chosen_profiles(profiles, session.environ))
    except ConfigError as error:
        if as_json:
            problems = [asdict(problem) for problem in error.problems]
            session.terminal.print(json.dumps({"valid": False, "problems": problems}, indent=2, ensure_ascii=False))
            return 2
        raise
    if as_json:
        document = _document(spec) | {"warnings": remarks(spec)}
        session.terminal.print(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    session.terminal.print(f"{spec.file} is valid: {declared_words(spec)}")
    for remark in remarks(spec):
        session.terminal.warn(remark)
    return 0


def declared_words(spec: ProjectSpec) -> str:
    """``project 'shop', 3 components (2 processes, 1 container), profiles: containers``."""
    kinds = Counter(component.kind for component in spec.components)
    processes, containers = kinds["process"], kinds["container"]
    parts = [_count(processes, "process", "es")] if processes else []
    parts += [_count(containers, "container", "s")] if containers else []
    profiles = sorted({profile for component in spec.components for profile in component.profiles})
    text = f"project '{spec.name}', {_count(len(spec.components), 'component', 's')} ({', '.join(parts)})"
    return text + (f", profiles: {', '.join(profiles)}" if profiles else "")


def _count(number: int, word: str, plural: str) -> str:
    return f"{number} {word}{'' if number == 1 else plural}"


def _document(spec: ProjectSpec) -> Document:
    return {
        "valid": True,
        "problems": [],
        "project": spec.name,
        "file": spec.file,
        "components": [_component(component) for component in spec.components],
    }


def _component(component: ComponentSpec) -> Document:
    return {
        "name": component.name,
        "kind": component.kind,
        "profiles": list(component.profiles),
        "autostart": component.autostart,
        "depends_on": [dependency.name for dependency in component.depends_on],
    }
