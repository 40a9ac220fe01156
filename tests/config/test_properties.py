"""Whatever is in the file: a spec or a ``ConfigError`` with places, soon, and never another exception."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stigmer_pm.config import ConfigError, init_template, load, mask_secrets, resolved_document, yaml_reader
from stigmer_pm.config.locate import read_state_dir
from stigmer_pm.config.model import File
from stigmer_pm.config.model_component import Component
from stigmer_pm.config.model_container import NetworkBlock, PortBlock
from stigmer_pm.config.model_handlers import HttpHandler, KubernetesHttpHandler
from stigmer_pm.config.model_mount import BindBlock, MountBlock, TmpfsBlock, VolumeBlock
from stigmer_pm.config.model_probe import Probe, ProbeSet
from stigmer_pm.config.model_rules import LimitsBlock
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.spec.codec import decode, encode

pytestmark = pytest.mark.slow

ENVIRON = {"A": "1", "EMPTY": "", "LINES": "a\nb: c", "BYTES": "\udcff", "HOME": "/home/me"}

# Two seconds are a hundred times what an example takes: a machine may be busy, and a square of the size shows.
SOON = settings(deadline=2000, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
MORE = settings(SOON, max_examples=250)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that all examples of a test are written to."""
    return tmp_path_factory.mktemp("project") / "stigmer.yaml"


def check(file: Path, content: str | bytes) -> ProjectSpec | None:
    """Load it, and look at what comes out; ``None`` when it is refused."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        spec = load(str(file), ENVIRON)
    except ConfigError as error:
        check_problems(error, file)
        return None
    assert spec.components
    assert decode(ProjectSpec, json.loads(json.dumps(encode(spec)))) == spec
    assert read_state_dir(str(file), ENVIRON) == spec.state_dir
    json.dumps(mask_secrets(resolved_document(str(file), ENVIRON)), allow_nan=False)
    return spec


def check_problems(error: ConfigError, file: Path) -> None:
    """Each has a place and words, in one line that a terminal shows as it is; none is told twice."""
    assert error.problems
    shown = [str(problem) for problem in error.problems]
    assert len(set(shown)) == len(shown)
    for problem, line in zip(error.problems, shown, strict=True):
        assert problem.file == str(file)
        assert problem.message
        assert line.isprintable()
        assert len(line) < 2000
        is_of_the_whole_file = problem.message.startswith("cannot read the file: ")
        assert is_of_the_whole_file or (problem.line > 0 and problem.column > 0), line


@SOON
@given(content=st.binary(max_size=300))
@example(content=b"\xff\xfe")
@example(content=b"\xef\xbb\xbfcomponents: {a: {command: x}}")
def test_any_bytes_are_a_spec_or_a_config_error(file: Path, content: bytes) -> None:
    """config.md: "No input gives a traceback"."""
    check(file, content)


# What YAML is made of, and what this format is made of.
TOKENS = st.sampled_from(
    [":", ": ", "- ", "? ", ", ", "{", "}", "[", "]", "&a ", "*a", "<<: ", "<<: *a", "!!int ", "!x ", "!!str ", "#",
     "|\n", ">-\n", "'", '"', "%YAML 1.2\n", "---\n", "...\n", "\n", "\n  ", "\n    ", "\t", " ", "~", "null", "x-",
     "$A", "${A", "}", "${NO:-", "$$", "\\ud800", '"\\U00110000"', "\x00", "\x85", "\u2028", "\ufeff", "é",
     "components", "defaults", "command", "a", "b", "depends_on", "environment", "probes", "liveness", "http", "port",
     "80", "1e400", "state_dir", "env_file", "log", ".nan", "0x", "-1", "9" * 30]
)  # fmt: skip


@MORE
@given(tokens=st.lists(TOKENS, max_size=40))
def test_any_text_of_tokens_is_a_spec_or_a_config_error(file: Path, tokens: list[str]) -> None:
    """With the parser in C."""
    check(file, "".join(tokens))


@SOON
@given(tokens=st.lists(TOKENS, max_size=40))
@example(tokens=['"\\U00110000": 1'])
@example(tokens=["%YAML 1." + "9" * 5000 + "\n---\na: 1\n"])
@example(tokens=['components: {"\\ud800": {command: "\\udfff", "\\ud800": 1}}\n'])
def test_the_parser_in_python_ends_no_other_way(file: Path, tokens: list[str]) -> None:
    """PyYAML is not always built with libyaml."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_reader, "_SafeLoader", yaml.SafeLoader)
        check(file, "".join(tokens))


@MORE
@given(data=st.data())
def test_a_valid_file_with_a_piece_changed_is_a_spec_or_a_config_error(file: Path, data: st.DataObject) -> None:
    """The typing errors of whoever edits it."""
    text = data.draw(st.sampled_from(VALID))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    check(file, text[:start] + "".join(data.draw(st.lists(TOKENS, max_size=3))) + text[end:])


VALID = [
    init_template(),
    """
defaults: {restart: on-failure:3, environment: {A: $A}, probes: {liveness: {period: 2s}}, backoff: 5s}
x-job: &job {restart: never, log: {max_size: 0}}
components:
  web:
    command: [x, "${A:-b}"]
    probes: {livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: A, value: b}]}}, readiness: {tcp: "db:5432"}}
    depends_on: {db: {condition: completed}}
    labels: [a=b]
    limits: {nofile: unlimited, core: 1MiB}
  db: {<<: *job, command: 'y "z"', user: 5, umask: 022, stop_signal: INT, success_exit_codes: [0, TERM]}
  box: {image: i, ports: ["8080-8081:80-81/udp"], volumes: ["./a:/b:ro"], profiles: [p], restart: always}
  cask:
    image: "localhost:5000/a/b:1.2"
    ports: [{target: 80, published: 8080-8090, host_ip: "::1", mode: host}, "[::1]:80:80"]
    volumes: [{type: bind, source: ~/x, target: /d, bind: {selinux: z}}, "v:/e:nocopy,ro", "/f",
              {type: tmpfs, target: /g, tmpfs: {size: 1MiB, mode: 0755}}, {source: vol, target: /h, external: true}]
    networks: {back: {aliases: [c]}, front: }
    limits: {memory: 1GiB, cpu: 0.5}
""",
]


def names_of(*kinds: type[Any]) -> list[str]:
    """The keys that these mappings may have."""
    return sorted({name for kind in kinds for name in kind.model_fields})


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(
        ["x", "$A", "${EMPTY}", "$LINES", "$BYTES", "${NO}", "10s", "1MiB", "always", "on-failure:5", "SIGTERM", "a=b",
         "./a:/b", "80:80", "http://x/", "x:80", "ready", "unlimited", "/", "~", "022", "\x1b[31m"]
    ),
)  # fmt: skip
KEYS = st.one_of(
    st.sampled_from(names_of(Component, ProbeSet, Probe, HttpHandler, KubernetesHttpHandler)),
    st.sampled_from(["a", "b", "name", "value", "target", "condition", "x-a", "", "a=b", "initial", "nofile", "path"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
CONTAINER_KEYS = names_of(PortBlock, MountBlock, BindBlock, VolumeBlock, TmpfsBlock, NetworkBlock, LimitsBlock)
OF_CONTAINERS = st.recursive(
    st.one_of(
        SCALARS,
        st.sampled_from(["80-90:80", "[::1]:80:80", "v:/d:ro,z", "~/x:/d", "~u:/d", "/", "host", "none", "x:1", "bind",
                         "tmpfs", "volume", "z", "0755", "../x", "a/b/c", "::"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(CONTAINER_KEYS), inner, max_size=4)
    ),
    max_leaves=10,
)  # fmt: skip
CONTAINERS = st.dictionaries(
    st.sampled_from(["image", "ports", "volumes", "networks", "container_name", "platform", "limits", "probes"]),
    OF_CONTAINERS,
    max_size=4,
).map(lambda c: {"image": "x", **c})
COMPONENTS = st.dictionaries(st.sampled_from(names_of(Component)), VALUES, max_size=4).map(
    lambda c: {"command": "x", **c}
)


@MORE
@given(
    document=st.fixed_dictionaries(
        {
            "components": st.dictionaries(
                st.sampled_from(["a", "b", "c", "x-d", "-"]), COMPONENTS, min_size=1, max_size=3
            )
        },
        optional={
            "defaults": COMPONENTS,
            "project": SCALARS,
            "state_dir": SCALARS,
            "version": SCALARS,
            "env_file": st.one_of(st.none(), st.lists(SCALARS.filter(lambda value: not value), max_size=2)),
        },
    )
)
def test_any_values_under_the_known_keys_are_a_spec_or_a_config_error(file: Path, document: dict[str, Any]) -> None:
    """What the models, the merging and the resolving do with values of the wrong kind."""
    check(file, json.dumps(document))


@MORE
@given(components=st.dictionaries(st.sampled_from(["a", "b", "c"]), CONTAINERS, min_size=1, max_size=3))
def test_any_values_of_containers_are_a_spec_or_a_config_error(file: Path, components: dict[str, Any]) -> None:
    """What becomes of ports, volumes, networks and names of images."""
    check(file, json.dumps({"components": components}))


@SOON
@given(value=VALUES, key=st.sampled_from(names_of(File)))
def test_any_value_of_a_top_key_is_a_spec_or_a_config_error(file: Path, value: object, key: str) -> None:
    """The top level."""
    check(file, json.dumps({"components": {"a": {"command": "x"}}, key: value}))


@SOON
@given(text=st.text(alphabet=st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs", "Cc")), max_size=30))
def test_a_text_in_double_quotes_arrives_character_by_character(file: Path, text: str) -> None:
    """Through YAML, variables and the model. JSON writes higher ones in two halves, which YAML doesn't take."""
    spec = check(file, json.dumps({"components": {"a": {"command": ["x", text.replace("$", "$$")]}}}))
    assert spec is not None
    assert spec.components[0].process is not None
    assert spec.components[0].process.argv == ("x", text)


@SOON
@given(
    edges=st.dictionaries(
        st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), unique=True, max_size=4), min_size=1
    )
)
def test_a_file_is_refused_for_a_cycle_just_when_there_is_one(file: Path, edges: dict[str, list[str]]) -> None:
    """Told against the plain definition: taking away what nothing is missing for, until nothing is left."""
    graph = {name: [n for n in edges.get(name, []) if n in edges] for name in edges}
    left = dict(graph)
    while ready := [name for name, needs in left.items() if not set(needs) & set(left)]:
        for name in ready:
            del left[name]
    spec = check(file, json.dumps({"components": {n: {"command": "x", "depends_on": d} for n, d in graph.items()}}))
    assert (spec is None) == bool(left)
