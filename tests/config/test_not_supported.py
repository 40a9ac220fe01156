"""What does nothing yet is refused, and never silently accepted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from stigmer_pm.config.schema import schema_text

from .conftest import Folder

# A valid value of every field whose behaviour is still to come.
LATER = {
    "replicas": "replicas: 2",
    "schedule": "schedule: '0 3 * * *'",
    "watch": "watch: {paths: [src], ignore: '*.tmp', debounce: 200ms, action: signal, signal: HUP}",
    "hooks": "hooks: {pre_start: ./a, post_start: [./b], pre_stop: {command: c, timeout: 5s}, post_stop: d}",
    "notify": "notify: {mail: me}",
    "max_size": "log: {max_size: 10MiB}",
    "keep": "log: {keep: 5}",
    "compress": "log: {compress: true}",
}


@pytest.mark.parametrize("name", sorted(LATER))
def test_what_does_nothing_yet_is_refused_with_what_to_do_instead(folder: Folder, name: str) -> None:
    """At its key; valid as it is otherwise, so nothing else is said."""
    found = folder.problem(f"components:\n  a: {{command: x, {LATER[name]}}}\n")
    place, _, words = found.partition(": ")
    path, _, message = words.partition(": ")
    assert place.startswith("2:")
    assert path.endswith(f".{name}")
    assert message.startswith("not supported yet; ")
    assert len(message) > len("not supported yet; ")


@pytest.mark.parametrize("name", sorted(LATER))
def test_it_is_refused_in_defaults_too(folder: Folder, name: str) -> None:
    """Once, and there."""
    found = folder.problem(f"defaults: {{{LATER[name]}}}\ncomponents: {{a: {{command: x}}, b: {{command: y}}}}\n")
    assert found.startswith("1:")
    assert "not supported yet" in found


@pytest.mark.parametrize("written", ["watch: src", "watch: [src, lib]", "watch: ", "hooks: {}", "hooks: ", "notify: "])
def test_short_and_empty_forms_of_it_are_refused_as_well(folder: Folder, written: str) -> None:
    """Who writes the key expects something of it."""
    assert "not supported yet" in folder.problem(f"components: {{a: {{command: x, {written}}}}}\n")


@pytest.mark.parametrize("written", ["replicas: 1", "log: {max_size: 0}"])
def test_a_value_that_says_what_is_so_anyway_is_taken(folder: Folder, written: str) -> None:
    """One instance, and a log that is not rotated."""
    folder.component(f"command: x, {written}")


@pytest.mark.parametrize("limit", ["memory: 512MiB", "cpu: 1.5"])
def test_limits_that_only_containers_have_are_refused_for_processes(folder: Folder, limit: str) -> None:
    """At the key; a process that runs without the limit that it asks for would be a trap."""
    name = limit.partition(":")[0]
    words = "not supported yet for a process; remove it, or move it to components with an 'image'"
    assert folder.problem(f"components:\n  a: {{command: x, limits: {{{limit}}}}}\n") == (
        f"2:28: components.a.limits.{name}: {words}"
    )
    found = folder.problem(f"defaults: {{limits: {{{limit}}}}}\ncomponents: {{a: {{command: x}}, b: {{command: y}}}}\n")
    assert found == f"1:21: components.a.limits.{name}: {words}"


@pytest.mark.parametrize("limit", ["memory: 512MiB", "cpu: 1.5"])
def test_they_may_stand_in_defaults_when_all_components_are_containers(folder: Folder, limit: str) -> None:
    """It depends on who gets them."""
    spec = folder.load(f"defaults: {{limits: {{{limit}}}}}\ncomponents: {{a: {{image: x}}, b: {{image: y}}}}\n")
    assert [c.container.limits.memory or c.container.limits.cpu for c in spec.components if c.container] in (
        [512 << 20] * 2,
        [1.5] * 2,
    )


def test_every_field_that_says_so_in_the_reference_is_refused_here() -> None:
    """The descriptions of the schema and the cases above are of one mind."""
    described = {
        name
        for name, field in _fields(json.loads(schema_text()))
        if "not supported yet" in field.get("description", "").lower()
    }
    assert described == set(LATER)


def _fields(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "properties":
                yield from item.items()
            yield from _fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item)
