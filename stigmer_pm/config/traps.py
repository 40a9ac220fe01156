"""What a sound file says that its author may well have meant otherwise. Nothing here keeps a file from being used."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stigmer_pm.spec import ComponentSpec, Condition, ProjectSpec

#: Words that only a shell understands, and that few programs want as they are. (``;`` ends an ``-exec`` of find.)
_OF_A_SHELL = frozenset(("|", "||", "&", "&&", ">", ">>", "<", "<<", "2>", "2>&1", "&>"))
#: What a shell would have as a variable of the command behind it. No program is called so.
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def remarks(spec: ProjectSpec) -> list[str]:
    """One line each."""
    return [*_words_of_a_shell(spec), *_first_words_of_a_shell(spec), *_ready_that_means_started(spec)]


def _words_of_a_shell(spec: ProjectSpec) -> Iterator[str]:
    for component in spec.components:
        argv = component.process.argv if component.process is not None else ()
        word = next((word for word in argv if word in _OF_A_SHELL), None)
        if word is not None:
            yield (
                f"the command of {component.name} has the word '{word}', and no shell runs it: its program gets that "
                "as an argument; 'shell: true' runs it by a shell"
            )


def _first_words_of_a_shell(spec: ProjectSpec) -> Iterator[str]:
    for component in spec.components:
        first = component.process.argv[0] if component.process is not None else ""
        if _ASSIGNMENT.match(first):
            name = first.partition("=")[0]
            yield (
                f"the command of {component.name} begins with '{name}=', and no shell runs it: that is taken for the "
                f"program; write 'environment: {{{name}: ...}}', or 'shell: true'"
            )
        elif first.startswith("~/"):
            yield (
                f"the command of {component.name} begins with '~/', and no shell runs it: that is no folder; write "
                "${HOME}/ for it, or 'shell: true'"
            )


def _ready_that_means_started(spec: ProjectSpec) -> Iterator[str]:
    """Ready is "started, and the readiness probe passes, or there is none". (Compose refuses ``service_healthy`` of
    one without a health check only when it starts it.)"""
    components = {component.name: component for component in spec.components}
    for component in spec.components:
        for dependency in component.depends_on:
            other = components.get(dependency.name)
            if dependency.condition is Condition.READY and other is not None and not _says_when_it_is_ready(other):
                yield (
                    f"{component.name} waits until {other.name} is ready, and {other.name} has no readiness or startup "
                    "probe: it is ready as soon as it runs; give it one, or write 'condition: started'"
                )


def _says_when_it_is_ready(component: ComponentSpec) -> bool:
    # Whether an image has a HEALTHCHECK, only its engine knows.
    return component.container is not None or bool(component.probes.readiness or component.probes.startup)
