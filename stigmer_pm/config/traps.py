"""What a sound file says that its author may well have meant otherwise. Nothing here keeps a file from being used."""

from __future__ import annotations

from collections.abc import Iterator

from stigmer_pm.spec import ComponentSpec, Condition, ProjectSpec


def remarks(spec: ProjectSpec) -> list[str]:
    """One line each, in the order of the file."""
    return list(_ready_that_means_started(spec))


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
