"""The file as it is resolved, for people; what looks secret is masked; and the file that ``init`` writes."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from stigmer_pm.config import ConfigError, init_template, mask_secrets, resolved_document
from stigmer_pm.config.nodes import Plain

from .conftest import Folder


def resolved(folder: Folder, text: str, environ: dict[str, str] | None = None) -> dict[str, Plain]:
    """The document of this file."""
    folder.write(text)
    return resolved_document(folder.file, environ or {})


def component(folder: Folder, fields: str, environ: dict[str, str] | None = None) -> Plain:
    """The one component of the document."""
    document = resolved(folder, f"components:\n  a: {{command: x, {fields}}}\n", environ)
    components = document["components"]
    assert isinstance(components, dict)
    return components["a"]


def test_variables_are_filled_in_and_defaults_are_merged(folder: Folder) -> None:
    """cli.md: "prints the resolved file (interpolated, defaults merged)"."""
    text = """
        x-note: dropped
        project: $NAME
        defaults: {labels: {a: 1}, stop_timeout: 5s}
        components:
          web: {command: "x $NAME", max_restarts: "${N:-5}", labels: {b: two}, x-note: dropped}
          db: {command: [y, 8080], labels: [c=3]}
    """
    assert resolved(folder, text, {"NAME": "shop"}) == {
        "project": "shop",
        "components": {
            "web": {
                "labels": {"a": "1", "b": "two"}, "stop_timeout": "5s", "command": "x shop", "max_restarts": 5
            },
            "db": {"labels": {"a": "1", "c": "3"}, "stop_timeout": "5s", "command": ["y", "8080"]},
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "key", "value"),
    [
        ("nice: 5", "nice", 5),
        ("shell: true", "shell", True),
        ("nice: $V", "nice", 7),
        ("nice: '${V}'", "nice", 7),
        ("working_dir: '${V}', log: $V", "working_dir", "7"),
        ("min_uptime: '${V:-1}', log: '${V}'", "log", "7"),
        ("environment: {A: 010, B: 1.10, C: true, D: , E: $V}", "environment",
         {"A": "010", "B": "1.10", "C": "true", "D": None, "E": "7"}),
        ("umask: 022", "umask", "022"),
        ("umask: 0o27", "umask", "0o27"),
        ("user: 0x10, group: 010", "user", "0x10"),
        ("profiles: [1.10, a]", "profiles", ["1.10", "a"]),
        ("description: 1.10", "description", "1.10"),
        ("user: .nan", "user", ".nan"),
        ("labels: {a: 1e3}", "labels", {"a": "1e3"}),
        ("probes: {liveness: {exec: 010}}", "probes", {"liveness": {"exec": "010"}}),
        ("probes: {liveness: {exec: [010]}}", "probes", {"liveness": {"exec": ["010"]}}),
        ("probes: {liveness: {http: {port: 080, headers: {A: 010}}}}", "probes",
         {"liveness": {"http": {"port": 80, "headers": {"A": "010"}}}}),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_its_field_reads_it(folder: Folder, fields: str, key: str, value: Plain) -> None:
    """Text stays as it is written, so that the umask ``0o27`` isn't shown as 23, and numbers are numbers."""
    found = component(folder, fields, {"V": "7"})
    assert isinstance(found, dict)
    assert found[key] == value


def test_fields_of_containers_are_shown_as_they_are_read(folder: Folder) -> None:
    """And are read as the same project again."""
    text = """
        components:
          a:
            image: i
            ports: [80, "81:81", {target: $V, app_protocol: "1e3"}]
            networks: {back: {aliases: ["010"]}}
            volumes:
              - v:/d
              - {source: vol, target: /e, external: $T, volume: {nocopy: true}}
              - {type: bind, source: x, target: /f, bind: {create_host_path: false}}
              - {type: tmpfs, target: /g, tmpfs: {mode: 0755}}
    """
    environ = {"V": "7", "T": "true"}
    first = folder.load(text, environ)
    document = resolved_document(folder.file, environ)
    components = document["components"]
    assert isinstance(components, dict)
    assert components["a"] == {
        "image": "i",
        "ports": [80, "81:81", {"target": 7, "app_protocol": "1e3"}],
        "networks": {"back": {"aliases": ["010"]}},
        "volumes": [
            "v:/d",
            {"source": "vol", "target": "/e", "external": True, "volume": {"nocopy": True}},
            {"type": "bind", "source": "x", "target": "/f", "bind": {"create_host_path": False}},
            {"type": "tmpfs", "target": "/g", "tmpfs": {"mode": "0755"}},
        ],
    }
    assert folder.load(json.dumps(document)).components == first.components


def test_a_dependency_that_is_called_like_a_field_is_shown_like_others(folder: Folder) -> None:
    """Its ``restart`` is a truth value and no text."""
    document = resolved(
        folder, "components: {a: {command: x, depends_on: {command: {restart: true}}}, command: {command: y}}\n"
    )
    assert document["components"] == {
        "a": {"command": "x", "depends_on": {"command": {"restart": True}}}, "command": {"command": "y"}
    }  # fmt: skip


def test_what_is_shown_is_read_as_the_same_project(folder: Folder) -> None:
    """Where it has no dollar sign in it: as YAML and as JSON."""
    text = """
        project: 5
        defaults: {environment: [A=1], umask: 0o27, backoff: 5s, probes: {liveness: {periodSeconds: 2}}}
        components:
          web: {command: [x, 010], environment: {B: 0x1F}, probes: {livenessProbe: {tcpSocket: {port: 80}}}}
          db: {command: y 1, restart: no, user: 010, profiles: 1.10, probes: {liveness: {exec: [z, true]}}}
    """
    first = folder.load(text)
    document = resolved_document(folder.file, {})
    for shown in (yaml.safe_dump(document, sort_keys=False), json.dumps(document)):
        again = folder.load(shown)
        assert (again.name, again.components) == (first.name, first.components)


def test_a_file_with_an_error_is_not_shown(folder: Folder) -> None:
    """The same errors as of loading it."""
    folder.write("components: {a: {comand: x}}\n")
    with pytest.raises(ConfigError) as caught:
        resolved_document(folder.file, {})
    assert [str(problem).removeprefix(f"{folder.file}:") for problem in caught.value.problems] == folder.problems()


def test_components_of_all_profiles_are_shown(folder: Folder) -> None:
    """None is chosen here."""
    document = resolved(folder, "components: {a: {command: x, depends_on: [b]}, b: {command: y, profiles: [p]}}\n")
    assert isinstance(document["components"], dict)
    assert list(document["components"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ("environment: {DB_PASSWORD: hunter2, API_KEY: 12345, MONKEY: banana}",
         {"DB_PASSWORD": "******", "API_KEY": "******", "MONKEY": "banana"}),
        ("environment: [TOKEN=hunter2, USER=me, SECRET]", ["TOKEN=******", "USER=me", "SECRET"]),
        ("environment: {SECRET: , TOKEN: '', PGPASSWORD: true}", {"SECRET": None, "TOKEN": "", "PGPASSWORD": "******"}),
        ("environment: {URL: 'postgres://u:hunter2@h/db'}", {"URL": "postgres://u:******@h/db"}),
        ("environment: {PASSWORD: $P}", {"PASSWORD": "******"}),
        ("command: [x, 'http://u:hunter2@h/']", ["x", "http://u:******@h/"]),
        ("description: see amqp://u:hunter2@h", "see amqp://u:******@h"),
        ("labels: {key: value}", {"key": "value"}),
        ("stop_signal: TERM", "TERM"),
    ],
)  # fmt: skip
def test_values_that_look_secret_are_masked(folder: Folder, fields: str, shown: Plain) -> None:
    """cli.md: "values of variables whose name looks secret are masked"; passwords in URLs are, anywhere."""
    text = f"components:\n  a: {{{'' if 'command' in fields else 'command: x, '}{fields}}}\n"
    document = resolved(folder, text, {"P": "hunter2"})
    masked = mask_secrets(document)
    components = masked["components"]
    assert isinstance(components, dict)
    found = components["a"]
    assert isinstance(found, dict)
    assert found[fields.partition(":")[0]] == shown
    assert "hunter2" not in json.dumps(masked)


@pytest.mark.parametrize(
    "http",
    [
        "http: {port: 80, headers: {Authorization: Bearer hunter2, Accept: text}}",
        "http: {port: 80, headers: {X-Api-Key: hunter2, Accept: text}}",
        "http: {port: 80, headers: [{name: authorization, value: hunter2}, {name: Accept, value: text}]}",
        "httpGet: {port: 80, httpHeaders: [{value: hunter2, name: Cookie}, {name: Accept, value: text}]}",
        "httpGet: {port: 80, httpHeaders: [{value: hunter2, name: Proxy-Authorization}, {name: Accept, value: text}]}",
    ],
)
def test_headers_that_carry_credentials_are_masked(folder: Folder, http: str) -> None:
    """In each of the ways to write them."""
    document: dict[str, Plain] = {"components": {"a": component(folder, f"probes: {{liveness: {{{http}}}}}")}}
    shown = json.dumps(mask_secrets(document))
    assert "hunter2" not in shown
    assert "******" in shown
    assert "text" in shown


def test_masking_leaves_the_document_as_it_was(folder: Folder) -> None:
    """It is a copy that is masked."""
    document = resolved(folder, "components: {a: {command: x, environment: {TOKEN: abc}}}\n")
    before = json.dumps(document)
    mask_secrets(document)
    assert json.dumps(document) == before


def test_what_init_writes_is_valid_and_runs_one_component(folder: Folder) -> None:
    """As it stands, for everybody."""
    spec = folder.load(init_template())
    assert [component.name for component in spec.components] == ["hello"]


def test_the_examples_in_what_init_writes_are_valid_too(folder: Folder) -> None:
    """When their marks are taken away."""
    folder.write("A=1\n", "web.env")
    text = re.sub(r"^( *)# (?=( *[a-z_]+:( |$)))", r"\1", init_template(), flags=re.MULTILINE)
    spec = folder.load(text)
    assert [component.name for component in spec.components] == ["hello", "web", "worker", "migrate"]
