"""A file to its spec: every field with its default and with a value, names, places, and the files it was made from."""

from __future__ import annotations

import hashlib
import json
import signal
from pathlib import Path

import pytest

from stigmer_pm.config import load
from stigmer_pm.spec import (
    Backoff,
    ComponentSpec,
    Condition,
    Dependency,
    ExecCheck,
    InputFile,
    Limits,
    ProbeKind,
    Probes,
    ProbeSpec,
    ProcessExecution,
    ProjectSpec,
    RestartPolicy,
    SuccessExits,
    TcpCheck,
)
from stigmer_pm.spec.codec import decode, encode

from .conftest import Folder

# Every field of a component that works for a process.
FULL = """
version: 1
project: shop
state_dir: state
components:
  web:
    command: python3 -m http.server "8 000"
    description: The web front end
    labels: {team: shop, tier: 1}
    working_dir: ./backend
    environment: {PORT: 8080, DEBUG: true, NONE: }
    env_file: web.env
    user: www
    group: 33
    umask: 027
    nice: 10
    limits: {nofile: 1024, nproc: unlimited, core: 1MiB}
    restart: on-failure:3
    min_uptime: 30s
    restart_window: 1h
    backoff: {initial: 500ms, factor: 1.5, max: 5m, jitter: 0.2}
    success_exit_codes: [0, 143, SIGTERM, int]
    stop_signal: int
    stop_timeout: 1m30s
    probes:
      startup: {tcp: 80, failure_threshold: 30, period: 1s, termination_grace: 2s}
      readiness: {exec: "pg_isready -q", initial_delay: 5s, timeout: 3s, success_threshold: 2}
    depends_on: {db: {condition: started, restart: true}}
    log: logs/web.log
    replicas: 1
    profiles: [front, debug]
    autostart: false
  db: {command: [postgres, -D, "/data"], max_restarts: unlimited}
"""


def test_a_field_that_is_not_given_has_the_default_of_the_contract(folder: Folder) -> None:
    """config.md, "A component": the column of defaults."""
    assert folder.component("command: sleep 1") == ComponentSpec(
        name="a",
        process=ProcessExecution(
            argv=("sleep", "1"),
            working_dir=str(folder.path),
            log=str(folder.path / ".stigmer" / "logs" / "a.log"),
            environment={},
            limits=Limits(None, None, None),
        ),
        container=None,
        description="",
        labels={},
        restart=RestartPolicy.ALWAYS,
        min_uptime=10.0,
        max_restarts=10,
        restart_window=600.0,
        backoff=Backoff(initial=1.0, factor=2.0, max=60.0, jitter=0.0),
        success=SuccessExits(codes=(0,), signals=()),
        stop_signal=signal.SIGTERM,
        stop_timeout=10.0,
        probes=Probes(None, None, None),
        depends_on=(),
        profiles=(),
        autostart=True,
    )


def test_every_field_of_a_process_arrives_in_the_spec(folder: Folder) -> None:
    """Each with a value that is not its default."""
    folder.write("A=1\n", "web.env")
    spec = folder.load(FULL)
    assert spec.components[0] == ComponentSpec(
        name="web",
        process=ProcessExecution(
            argv=("python3", "-m", "http.server", "8 000"),
            working_dir=str(folder.path / "backend"),
            log=str(folder.path / "logs" / "web.log"),
            environment={"A": "1", "PORT": "8080", "DEBUG": "true"},
            user="www",
            group="33",
            umask=0o027,
            nice=10,
            limits=Limits(nofile=1024, nproc=-1, core=1 << 20),
        ),
        description="The web front end",
        labels={"team": "shop", "tier": "1"},
        restart=RestartPolicy.ON_FAILURE,
        min_uptime=30.0,
        max_restarts=3,
        restart_window=3600.0,
        backoff=Backoff(0.5, 1.5, 300.0, 0.2),
        success=SuccessExits((0, 143), (signal.SIGTERM, signal.SIGINT)),
        stop_signal=signal.SIGINT,
        stop_timeout=90.0,
        probes=Probes(
            startup=ProbeSpec(
                ProbeKind.STARTUP, tcp=TcpCheck(80), failure_threshold=30, period=1.0, termination_grace=2.0
            ),
            readiness=ProbeSpec(
                ProbeKind.READINESS,
                exec=ExecCheck(("pg_isready", "-q")),
                initial_delay=5.0,
                timeout=3.0,
                success_threshold=2,
            ),
        ),
        depends_on=(Dependency("db", Condition.STARTED, restart=True),),
        profiles=("front", "debug"),
        autostart=False,
    )
    assert spec.components[1].max_restarts is None


def test_the_project_is_described_with_absolute_paths(folder: Folder) -> None:
    """Name, file and state folder; components in the order of the file."""
    folder.write("", "web.env")
    spec = folder.load(FULL)
    assert (spec.name, spec.file, spec.state_dir) == ("shop", folder.file, str(folder.path / "state"))
    assert [component.name for component in spec.components] == ["web", "db"]


def test_a_relative_file_is_counted_from_the_current_folder(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spec has absolute paths all the same, for the supervisor lives elsewhere."""
    folder.write("components: {a: {command: x, working_dir: w}}\n")
    monkeypatch.chdir(folder.path)
    spec = load("stigmer.yaml", {})
    assert spec.file == folder.file
    assert spec.components[0].process is not None
    assert spec.components[0].process.working_dir == str(folder.path / "w")


def test_the_spec_of_a_file_goes_through_json_unchanged(folder: Folder) -> None:
    """It is sent to the supervisor, and kept by it."""
    folder.write("", "web.env")
    spec = folder.load(FULL + "  box: {image: i, ports: ['80:80/udp'], volumes: ['./d:/d']}\n")
    assert decode(ProjectSpec, json.loads(json.dumps(encode(spec)))) == spec


@pytest.mark.parametrize(
    ("name", "expected"),
    [("shop", "shop"), ("My Shop", "my-shop"), ("a.b_c-d", "a-b_c-d"), ("_x_", "x"), ("Über", "ber"),
     ("...", "project"), ("日本", "project"), ("9lives", "9lives"), ("x" * 80, "x" * 63)],
)  # fmt: skip
def test_the_project_is_named_after_its_folder(tmp_path: Path, name: str, expected: str) -> None:
    """config.md: "made from the folder's when not given (lower case, other characters to `-`)"."""
    path = tmp_path / name
    path.mkdir()
    assert Folder(path).load("components: {a: {command: x}}\n").name == expected


@pytest.mark.parametrize("name", ["shop", "9-lives_x", "x" * 63, "5", "0x10"])
def test_a_project_may_be_named_in_the_file(folder: Folder, name: str) -> None:
    """config.md: "`[a-z0-9][a-z0-9_-]{0,62}`"; a name that looks like a number is a name."""
    assert folder.load(f"project: {name}\ncomponents: {{a: {{command: x}}}}\n").name == name


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "9", "1.10", "x" * 63, "null", "true", "environment"])
def test_a_component_may_have_any_name_of_the_contract(folder: Folder, name: str) -> None:
    """config.md: "names `[A-Za-z0-9][A-Za-z0-9._-]{0,62}`", taken as written."""
    spec = folder.load(f"components:\n  {name}: {{command: x}}\n")
    assert [component.name for component in spec.components] == [name]
    assert spec.components[0].log.endswith(f"/.stigmer/logs/{name}.log")


@pytest.mark.parametrize("version", ["1", "'1'", "${V}"])
def test_the_version_of_the_format_is_one(folder: Folder, version: str) -> None:
    """As a number or as text."""
    spec = folder.load(f"version: {version}\ncomponents: {{a: {{command: x}}}}\n", {"V": "1"})
    assert len(spec.components) == 1


@pytest.mark.parametrize(
    ("written", "expected"),
    [("s", "{folder}/s"), ("./s/../t", "{folder}/t"), ("/var/s", "/var/s"), ("~/s", "/home/me/s"), ("'~'", "/home/me")],
)
def test_a_path_starts_from_the_folder_of_the_file_or_from_home(folder: Folder, written: str, expected: str) -> None:
    """For every field that holds a path."""
    path = expected.format(folder=folder.path)
    environ = {"HOME": "/home/me"}
    assert folder.load(f"state_dir: {written}\ncomponents: {{a: {{command: x}}}}\n", environ).state_dir == path
    assert folder.component(f"command: x, log: {written}", environ).log == path
    process = folder.component(f"command: x, working_dir: {written}", environ).process
    assert process is not None
    assert process.working_dir == path


def test_a_tilde_without_a_home_is_a_name(folder: Folder) -> None:
    """Nothing is made up from the password database of whoever runs it."""
    assert folder.component("command: x, log: ~/l").log == str(folder.path / "~" / "l")


def test_keys_that_begin_with_x_are_ignored_wherever_a_mapping_is(folder: Folder) -> None:
    """config.md: "Unknown keys are errors, except `x-…`, which is ignored anywhere a mapping is"."""
    spec = folder.load(
        """
        x-note: $UNSET is no matter
        defaults: {x-a: 1}
        components:
          x-template: {nonsense: true}
          a:
            command: x
            x-owner: me
            limits: {x-a: 1}
            backoff: {x-a: 1}
            log: {x-a: 1, path: l}
            probes: {x-a: 1, liveness: {x-a: 1, http: {x-a: 1, port: 80, headers: [{x-a: 1, name: H}]}}}
            depends_on: {labels: {x-a: 1}}
          labels: {command: x}
          box: {image: i, ports: [{target: 80, x-a: 1}], volumes: [{target: /d, x-a: 1}]}
        """
    )
    assert [component.name for component in spec.components] == ["a", "labels", "box"]


def test_in_mappings_of_the_users_own_names_x_is_a_name(folder: Folder) -> None:
    """Variables, labels and headers may begin with ``x-``."""
    spec = folder.component(
        "command: x, environment: {x-a: 1}, labels: {x-b: 2}, probes: {liveness: {http: {port: 1, headers: {x-c: 3}}}}"
    )
    assert spec.process is not None
    assert spec.process.environment == {"x-a": "1"}
    assert spec.labels == {"x-b": "2"}
    assert spec.probes.liveness is not None
    assert spec.probes.liveness.http is not None
    assert spec.probes.liveness.http.headers == (("x-c", "3"),)


def test_the_files_that_a_spec_was_made_from_are_named_with_their_sha_256(folder: Folder) -> None:
    """``ps`` compares them; a ``.env`` that isn't there is named as well, for it may come."""
    text = "components: {a: {command: x, env_file: [e.env, e.env]}, b: {command: y, env_file: e.env}}\n"
    folder.write("A=1\n", "e.env")
    assert folder.load(text).inputs == (
        InputFile(folder.file, hashlib.sha256(text.encode()).hexdigest()),
        InputFile(str(folder.path / ".env"), None),
        InputFile(str(folder.path / "e.env"), hashlib.sha256(b"A=1\n").hexdigest()),
    )


def test_the_top_env_file_is_an_input_in_place_of_the_usual_one(folder: Folder) -> None:
    """``.env`` is then not read at all."""
    folder.write("this is no assignment\n", ".env")
    folder.write("A=1\n", "t.env")
    spec = folder.load("env_file: t.env\ncomponents: {a: {command: x $A}}\n")
    assert [Path(file.path).name for file in spec.inputs] == ["stigmer.yaml", "t.env"]


def test_what_is_wrong_changes_nothing_and_reading_again_tells_the_same(folder: Folder) -> None:
    """Loading has no memory."""
    folder.write("components: {a: {command: x, nice: 99}}\n")
    assert folder.problems() == folder.problems()
    assert folder.load("components: {a: {command: x, nice: 9}}\n").components[0].process is not None


@pytest.mark.parametrize("path", ["a/" * 2000 + "b", "a/" + "b" * 256])
def test_a_state_folder_that_no_kernel_takes_is_an_error_of_the_file(folder: Folder, path: str) -> None:
    """``up`` said "file name too long", of no file in particular."""
    found = folder.problem(f"state_dir: {path}\ncomponents: {{a: {{command: x}}}}\n")
    assert found == "1:12: state_dir: expected a path of at most 3800 bytes, and names in it of at most 255"
