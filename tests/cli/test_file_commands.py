"""init, validate and config: the commands about the file alone."""

from __future__ import annotations

import json

import pytest
import yaml

from .conftest import Cli


def test_init_writes_a_file_that_is_valid(cli: Cli) -> None:
    """As it stands, with comments."""
    cli.file.unlink()
    result = cli.run("init")
    assert result.code == 0, result
    assert "#" in cli.file.read_text()
    assert cli.run("validate").code == 0


@pytest.mark.parametrize("name", ["stigmer.yaml", "stigmer.yml"])
def test_init_never_overwrites(cli: Cli, name: str) -> None:
    """Under neither of the names that are looked for."""
    cli.file.rename(cli.dir / name)
    before = (cli.dir / name).read_bytes()
    result = cli.run("init")
    assert result.code == 2
    assert name in result.err
    assert (cli.dir / name).read_bytes() == before
    assert len(list(cli.dir.glob("stigmer.y*"))) == 1


def test_validate_says_what_the_file_declares(cli: Cli) -> None:
    """In one line, or as a document."""
    cli.file.write_text(
        "project: shop\ncomponents:\n  web: {command: sleep 1}\n  box: {image: busybox, profiles: [boxes]}\n"
    )
    result = cli.run("validate")
    assert result.out.endswith("project 'shop', 2 components (1 process, 1 container), profiles: boxes\n"), result
    document = json.loads(cli.run("validate", "--json").out)
    assert (document["valid"], document["project"]) == (True, "shop")
    assert [(c["name"], c["kind"], c["profiles"]) for c in document["components"]] == [
        ("web", "process", []),
        ("box", "container", ["boxes"]),
    ]


def test_validate_warns_where_ready_means_no_more_than_started(cli: Cli) -> None:
    """It is no error; what an image's HEALTHCHECK says, nobody knows before it runs."""
    probe = "probes: {PROBE: {tcp: 80}}"
    cli.file.write_text(
        "components:\n"
        "  plain: {command: a}\n"
        f"  alive: {{command: a, {probe.replace('PROBE', 'liveness')}}}\n"
        f"  slow: {{command: a, {probe.replace('PROBE', 'startup')}}}\n"
        f"  good: {{command: a, {probe.replace('PROBE', 'readiness')}}}\n"
        "  box: {image: busybox}\n"
        "  web: {command: a, depends_on: {plain: {condition: ready}, alive: {condition: service_healthy}, "
        "slow: {condition: ready}, good: {condition: ready}, box: {condition: ready}}}\n"
        "  worker: {command: a, depends_on: [plain]}\n"
    )
    result = cli.run("validate")
    assert result.code == 0, result
    warnings = result.err.splitlines()
    assert len(warnings) == 2, result
    for warning, name in zip(warnings, ["plain", "alive"], strict=True):
        assert warning.startswith(f"warning: web waits until {name} is ready, and {name} has no readiness or startup")
        assert warning.endswith("it is ready as soon as it runs; give it one, or write 'condition: started'")
    assert [f"warning: {line}" for line in json.loads(cli.run("validate", "--json").out)["warnings"]] == warnings


def test_validate_warns_of_what_only_a_shell_understands(cli: Cli) -> None:
    """A program would get it as an argument. With a shell, or in the middle of a word, it is what it should be."""
    cli.file.write_text(
        "components:\n"
        "  a: {command: 'make && serve'}\n"
        "  b: {command: 'make && serve', shell: true}\n"
        "  c: {command: [sh, -c, 'make && serve']}\n"
        "  d: {command: 'find . -exec ls {} ;'}\n"
    )
    result = cli.run("validate")
    assert result.code == 0
    assert result.err.splitlines() == [
        "warning: the command of a has the word '&&', and no shell runs it: its program gets that as an argument; "
        "'shell: true' runs it by a shell"
    ]


def test_validate_warns_of_a_first_word_that_only_a_shell_understands(cli: Cli) -> None:
    """It would be looked for as a program. Behind another, such as ``env``, it is what it should be."""
    cli.file.write_text(
        "components:\n"
        "  a: {command: 'LEVEL=debug serve'}\n"
        "  b: {command: 'LEVEL=debug serve', shell: true}\n"
        "  c: {command: 'env LEVEL=debug serve'}\n"
        "  d: {command: ~/bin/serve}\n"
        "  e: {command: './a=b --x=y'}\n"
    )
    result = cli.run("validate")
    assert result.code == 0
    assert result.err.splitlines() == [
        "warning: the command of a begins with 'LEVEL=', and no shell runs it: that is taken for the program; write "
        "'environment: {LEVEL: ...}', or 'shell: true'",
        "warning: the command of d begins with '~/', and no shell runs it: that is no folder; write ${HOME}/ for it, "
        "or 'shell: true'",
    ]


def test_validate_prints_every_error_with_its_place(cli: Cli) -> None:
    """Exit 2; ``--json`` has them as well."""
    cli.file.write_text("components:\n  web: {command: sleep 1, max_restart: 3}\n  db: {}\n")
    result = cli.run("validate")
    assert result.code == 2
    assert "stigmer.yaml:2:" in result.err
    assert "stigmer.yaml:3:" in result.err
    as_json = cli.run("validate", "--json")
    assert as_json.code == 2
    document = json.loads(as_json.out)
    assert document["valid"] is False
    assert len(document["problems"]) == len(result.err.splitlines())


def test_config_prints_the_resolved_file_with_secrets_masked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """As YAML and as JSON, which say the same; ``--show-secrets`` shows them."""
    monkeypatch.setenv("LEVEL", "debug")
    cli.file.write_text(
        "components:\n  web:\n    command: sleep 1\n    environment: {LEVEL: '${LEVEL}', API_TOKEN: hush}\n"
    )
    text = cli.run("config").out
    assert yaml.safe_load(text) == json.loads(cli.run("config", "--json").out)
    assert "debug" in text
    assert "hush" not in text
    assert "hush" in cli.run("config", "--show-secrets").out


def test_without_a_file_every_command_says_how_to_get_one(cli: Cli) -> None:
    """Exit 2 and ``init``."""
    cli.file.unlink()
    for command in ("validate", "config", "up", "ps", "logs", "down"):
        result = cli.run(command)
        assert result.code == 2, result
        assert "stigmer.yaml" in result.err
        assert "init" in result.err
