"""``defaults``: what every component has that doesn't say otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from stigmer_pm.spec import Backoff, ComponentSpec, ProcessExecution

from .conftest import Folder


def merged(folder: Folder, defaults: str, fields: str, environ: dict[str, str] | None = None) -> ComponentSpec:
    """The spec of a component ``a`` under these defaults."""
    return folder.load(f"defaults: {{{defaults}}}\ncomponents:\n  a: {{{fields}}}\n", environ).components[0]


def process_of(spec: ComponentSpec) -> ProcessExecution:
    """What it executes."""
    assert spec.process is not None
    return spec.process


def test_every_component_has_what_it_does_not_say_itself(folder: Folder) -> None:
    """config.md: "merged under every component"."""
    spec = folder.load(
        """
        defaults: {command: x, stop_timeout: 5s, restart: never}
        components:
          a:
          b: {stop_timeout: 7s}
          c: {command: y, restart: always}
        """
    )
    found = [(process_of(c).argv, c.stop_timeout, str(c.restart)) for c in spec.components]
    assert found == [(("x",), 5.0, "never"), (("x",), 7.0, "never"), (("y",), 5.0, "always")]


@pytest.mark.parametrize("defaults", ["defaults:", "defaults: {}", "defaults: ~", "defaults: {x-a: 1}"])
def test_defaults_may_be_empty(folder: Folder, defaults: str) -> None:
    """As when all in it is commented out."""
    assert folder.load(f"{defaults}\ncomponents: {{a: {{command: x}}}}\n").components[0].stop_timeout == 10.0


@pytest.mark.parametrize(
    ("defaults", "fields", "expected"),
    [
        ("{A: 1, B: 1}", "{B: 2, C: 2}", {"A": "1", "B": "2", "C": "2"}),
        ("[A=1, B=1]", "{B: 2}", {"A": "1", "B": "2"}),
        ("{A: 1, B: 1}", "[B=2, C=]", {"A": "1", "B": "2", "C": ""}),
        ("[A=1]", "[B=2]", {"A": "1", "B": "2"}),
        ("{A: 1}", "[A]", {"A": "caller"}),
        ("[A]", "{B: 2}", {"A": "caller", "B": "2"}),
        ("{A: 1}", "", {}),
    ],
)
def test_variables_merge_however_they_are_spelt(
    folder: Folder, defaults: str, fields: str, expected: dict[str, str]
) -> None:
    """A list of ``NAME=VALUE`` is the mapping that it stands for. Nothing at all in its place takes all away."""
    spec = merged(folder, f"environment: {defaults}", f"command: x, environment: {fields}", {"A": "caller"})
    assert process_of(spec).environment == expected


@pytest.mark.parametrize(
    ("defaults", "fields", "read", "expected"),
    [
        ("labels: {a: 1}", "labels: {b: 2}", lambda c: c.labels, {"a": "1", "b": "2"}),
        ("limits: {nofile: 5, core: 1}", "limits: {core: 0}", lambda c: c.process.limits.nofile, 5),
        ("backoff: {initial: 5s, max: 9s}", "backoff: {max: 7s}", lambda c: c.backoff, Backoff(5.0, 2.0, 7.0)),
        ("backoff: {initial: 5s, jitter: 1}", "backoff: 3s", lambda c: c.backoff, Backoff(3.0, 1.0, 3.0)),
        ("backoff: 3s", "backoff: {max: 7s}", lambda c: c.backoff, Backoff(1.0, 2.0, 7.0)),
        ("command: [a, b]", "command: [c]", lambda c: c.process.argv, ("c",)),
        ("profiles: [a, b]", "command: x, profiles: [c]", lambda c: c.profiles, ("c",)),
        ("profiles: [a]", "command: x, profiles: []", lambda c: c.profiles, ()),
        ("success_exit_codes: [1, 2]", "success_exit_codes: [3]", lambda c: c.success.codes, (3,)),
    ],
)
def test_mappings_merge_and_all_else_is_replaced(
    folder: Folder, defaults: str, fields: str, read: Any, expected: object
) -> None:
    """config.md: "mappings merge, all else is replaced"."""
    fields = fields if "command" in fields else f"command: x, {fields}"
    assert read(merged(folder, defaults, fields)) == expected


@pytest.mark.parametrize(
    ("defaults", "fields"),
    [
        ("liveness: {period: 2s}", "liveness: {tcp: 80}"),
        ("liveness: {period: 2s}", "livenessProbe: {tcpSocket: {port: 80}}"),
        ("livenessProbe: {periodSeconds: 2}", "liveness: {tcp: 80}"),
        ("livenessProbe: {periodSeconds: 9}", "livenessProbe: {periodSeconds: 2, tcp: 80}"),
        ("liveness: {period: 9s}", "livenessProbe: {periodSeconds: 2, tcpSocket: {port: 80}}"),
        ("livenessProbe: {periodSeconds: 9}", "liveness: {period: 2s, tcp: 80}"),
        ("liveness: {period: 2s, http: {port: 1}}", "liveness: {tcp: 80}"),
        ("liveness: {period: 2s, tcp: 1}", "livenessProbe: {tcpSocket: {port: 80}}"),
        ("liveness: {period: 2s, exec: x}", "livenessProbe: {tcpSocket: {port: 80}}"),
        ("liveness: {period: 2s, tcp: {port: 80}}", "liveness: {tcp: {host: 127.0.0.1}}"),
        ("liveness: {period: 2s, tcp: 80}", ""),
    ],
)
def test_probes_merge_in_both_spellings_and_keep_one_handler(folder: Folder, defaults: str, fields: str) -> None:
    """Kubernetes' spelling means the same field; a probe's handler takes the place of the one beneath."""
    spec = merged(folder, f"probes: {{{defaults}}}", f"command: x, probes: {{{fields}}}" if fields else "command: x")
    probe = spec.probes.liveness
    assert probe is not None
    assert (probe.period, probe.tcp is not None and probe.tcp.port) == (2.0, 80)


@pytest.mark.parametrize(
    ("defaults", "fields", "expected"),
    [
        ("max_restarts: 5", "restart: on-failure:3", 3),
        ("restart: on-failure:3", "max_restarts: 5", 5),
        ("restart: on-failure:3", "restart: on-failure", 10),
        ("restart: on-failure:3", "restart: on-failure:4", 4),
        ("restart: on-failure:3, max_restarts: 3", "nice: 1", 3),
        ("max_restarts: 5", "restart: on-failure", 5),
    ],
)
def test_the_count_of_a_short_policy_wins_when_it_is_nearer(
    folder: Folder, defaults: str, fields: str, expected: int
) -> None:
    """What a component says itself goes before ``defaults``, whichever of the two spellings it uses."""
    assert merged(folder, defaults, f"command: x, {fields}").max_restarts == expected


def test_defaults_for_containers_do_not_disturb_processes_and_the_other_way_round(folder: Folder) -> None:
    """What is for one kind only is an error where it is written, and not where it is inherited."""
    spec = folder.load(
        """
        defaults: {pull: always, umask: 077, limits: {nofile: 5}}
        components: {a: {command: x}, b: {image: i}}
        """
    )
    assert process_of(spec.components[0]).umask == 0o077
    assert spec.components[1].container is not None
    assert spec.components[1].container.pull == "always"


def test_a_mistake_in_defaults_that_only_shows_in_a_component_is_told_at_its_place_in_defaults(folder: Folder) -> None:
    """Once, though two components have it from there."""
    found = folder.problem('defaults: {command: "it\'s"}\ncomponents: {a: , b: }\n')
    assert found.startswith("1:21: components.a.command: cannot split the command into words")


def test_a_merge_key_is_said_by_the_component_itself(folder: Folder) -> None:
    """A template that is merged with ``<<`` is part of the component, so it may win over ``defaults``."""
    spec = folder.load(
        """
        x-job: &job {restart: never, environment: {B: 2}}
        defaults: {restart: always, environment: {A: 1}}
        components: {a: {<<: *job, command: x}}
        """
    ).components[0]
    assert str(spec.restart) == "never"
    assert process_of(spec).environment == {"A": "1", "B": "2"}


def test_one_log_for_all_is_refused(folder: Folder) -> None:
    """config.md: "two components on one path are an error", also by inheritance."""
    assert "writes to the same log" in folder.problem(
        "defaults: {log: l}\ncomponents: {a: {command: x}, b: {command: y}}\n"
    )
