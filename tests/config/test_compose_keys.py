"""What users of Compose paste and what is written otherwise here: the error says how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stigmer_pm.config.model import File
from stigmer_pm.config.model_component import Component
from stigmer_pm.config.suggestions import _INSTEAD, _NOT_HERE

from .conftest import Folder


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("build: .", "build it before, with 'docker build -t NAME .', and write 'image: NAME'"),
        ("cpus: '0.5'", "write 'limits: {cpu: ...}'"),
        ("deploy: {replicas: 2}", "write 'limits: {memory: ..., cpu: ...}' for its limits, and 'replicas' for its…"),
        ("healthcheck: {test: [CMD, true]}", "write its test as a probe: 'probes: {readiness: {exec: COMMAND}}'"),
        ("livenessProbe: {tcp: 80}", "put it under 'probes:', with its readinessProbe and startupProbe"),
        ("readinessProbe: {tcp: 80}", "put it under 'probes:', with its livenessProbe and startupProbe"),
        ("startupProbe: {tcp: 80}", "put it under 'probes:', with its livenessProbe and readinessProbe"),
        ("logging: {driver: none}", "write 'log: PATH', the file that its output goes to"),
        ("mem_limit: 1g", "write 'limits: {memory: ...}'"),
        ("network_mode: host", "write 'networks: [host]' or 'networks: [none]'"),
        ("tmpfs: /run", "write 'volumes: [{type: tmpfs, target: /PATH}]'"),
        ("ulimits: {nofile: 5}", "write 'limits: {nofile: ..., nproc: ..., core: ...}'"),
        ("expose: [80]", "remove it, for containers on one network reach each other's ports without it"),
        ("links: [db]", "remove it, for containers on one network reach each other by their names"),
        ("extends: {service: b}", "use 'defaults', or an 'x-' mapping that is merged with '<<'"),
        ("stop_grace_period: 5s", "did you mean 'stop_timeout'?"),
        ("pull_policy: always", "did you mean 'pull'?"),
        ("env: {A: 1}", "did you mean 'environment'?"),
        ("scale: 2", "did you mean 'replicas'?"),
        ("init: true", "Compose has it, and there is nothing like it here"),
        ("privileged: true", "Compose has it, and there is nothing like it here"),
        ("hostname: x", "Compose has it, and there is nothing like it here"),
    ],
)
def test_a_key_of_compose_says_what_is_written_here(folder: Folder, written: str, hint: str) -> None:
    """And not only that it is unknown."""
    key = written.partition(":")[0]
    found = folder.problem(f"components:\n  a: {{image: i, {written}}}\n")
    expected = f"2:17: components.a.{key}: unknown key '{key}'; {hint}"
    assert found.startswith(expected.removesuffix("…")) if hint.endswith("…") else found == expected


def test_a_service_that_is_built_has_one_error(folder: Folder) -> None:
    """With an image in its place, nothing else is wrong."""
    found = folder.problem("components:\n  web: {build: ., ports: ['80:80'], networks: [back]}\n")
    assert found.startswith("2:9: components.web.build: unknown key 'build'; build it before")
    assert "\n" not in found


@pytest.mark.parametrize(("written", "meant"), [("comand: x", "command"), ("imag: x, ports: ['80:80']", "image")])
def test_a_misspelt_command_or_image_has_one_error(folder: Folder, written: str, meant: str) -> None:
    """That none is there is the same mistake."""
    key = written.partition(":")[0]
    found = folder.problem(f"components:\n  web: {{{written}}}\n")
    assert found == f"2:9: components.web.{key}: unknown key '{key}'; did you mean '{meant}'?"


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("services: {}", "Compose's services are 'components' here; what else differs, 'From a Compose file' in…"),
        ("name: shop", "did you mean 'project'?"),
        (
            "volumes: {data: }",
            "remove it: a volume is made when a container names it, unless it says there…",
        ),
        ("networks: {back: }", "remove it: a network is made when a container names it"),
    ],
)
def test_a_top_level_key_of_compose_does_so_too(folder: Folder, written: str, hint: str) -> None:
    """Compose declares volumes and networks there."""
    key = written.partition(":")[0]
    found = folder.problem(f"{written}\ncomponents: {{a: {{image: i}}}}\n")
    expected = f"1:1: {key}: unknown key '{key}'; {hint}"
    assert found.startswith(expected.removesuffix("…")) if hint.endswith("…") else found == expected


def test_no_hint_is_for_a_key_that_there_is() -> None:
    """It would never be seen; and each stands beside a key that there is."""
    known, top = set(Component.model_fields), set(File.model_fields)
    for key, (beside, _) in _INSTEAD.items():
        assert beside in known | top
        assert key not in (known if beside in known else top)
    assert not _NOT_HERE & known


@pytest.mark.parametrize("restart", ['"no"', "no", "always", "on-failure", "unless-stopped"])
def test_composes_restart_policies_are_taken(folder: Folder, restart: str) -> None:
    """``no`` is ``never``."""
    found = folder.component(f"image: i, restart: {restart}").restart
    assert found == ("never" if "no" in restart.strip('"')[:2] else json.loads(f'"{restart}"'))


def test_a_compose_file_is_told_so_and_not_that_it_has_no_components(folder: Folder) -> None:
    """One line says what to rename and where the rest stands, and there is such a place."""
    found = folder.problem("services:\n  web: {image: nginx}\n")
    assert found.startswith("1:1: services: unknown key 'services'; Compose's services are 'components' here; ")
    page = found.partition("'From a Compose file' in ")[2].partition(" says")[0]
    assert "\n## From a Compose file\n" in (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
