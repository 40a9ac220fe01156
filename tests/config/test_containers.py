"""Containers: Compose's fields in short and in full, and what is for one kind of component only."""

from __future__ import annotations

import pytest

from stigmer_pm.spec import ContainerExecution, Mount, PortMapping

from .conftest import Folder


def container_of(folder: Folder, fields: str, environ: dict[str, str] | None = None) -> ContainerExecution:
    """What the one component executes."""
    spec = folder.component(fields, environ)
    assert spec.process is None
    assert spec.container is not None
    return spec.container


def test_a_container_that_says_nothing_has_the_defaults_of_the_contract(folder: Folder) -> None:
    """config.md: "`container_name` defaults to `PROJECT-COMPONENT`, `pull` to `missing`"."""
    assert container_of(folder, "image: redis:7") == ContainerExecution(
        image="redis:7",
        container_name="project-a",
        log=str(folder.path / ".stigmer" / "logs" / "a.log"),
        entrypoint=None,
        command=None,
        environment={},
        ports=(),
        mounts=(),
        networks=(),
        working_dir=None,
        user=None,
        pull="missing",
        platform=None,
    )


def test_every_field_of_a_container_arrives_in_the_spec(folder: Folder) -> None:
    """Each with a value that is not its default."""
    folder.write("A=1\n", "e.env")
    found = container_of(
        folder,
        "image: i, entrypoint: /entry.sh -v, command: [redis-server, --save, ''], environment: [B=2], env_file: e.env, "
        "ports: [80], volumes: [v:/d], networks: [back, front], container_name: my.box_1, pull: always, "
        "platform: linux/arm64, working_dir: /srv, user: 1000:1000, log: l",
    )
    assert found == ContainerExecution(
        image="i",
        container_name="my.box_1",
        log=str(folder.path / "l"),
        entrypoint=("/entry.sh", "-v"),
        command=("redis-server", "--save", ""),
        environment={"A": "1", "B": "2"},
        ports=(PortMapping(80),),
        mounts=(Mount("volume", "/d", "v"),),
        networks=("back", "front"),
        working_dir="/srv",
        user="1000:1000",
        pull="always",
        platform="linux/arm64",
    )


def test_an_empty_entrypoint_takes_the_images_away(folder: Folder) -> None:
    """As in Compose; an empty command would leave nothing to run."""
    assert container_of(folder, "image: i, entrypoint: []").entrypoint == ()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("80", [PortMapping(80)]),
        ("'80'", [PortMapping(80)]),
        ("8080:80", [PortMapping(80, 8080)]),
        ("8080:80/udp", [PortMapping(80, 8080, None, "udp")]),
        ("80/udp", [PortMapping(80, None, None, "udp")]),
        ("127.0.0.1:8080:80", [PortMapping(80, 8080, "127.0.0.1")]),
        ("127.0.0.1::80", [PortMapping(80, None, "127.0.0.1")]),
        ("'[::1]:8080:80'", [PortMapping(80, 8080, "::1")]),
        ("3000-3002", [PortMapping(3000), PortMapping(3001), PortMapping(3002)]),
        ("9000-9001:80-81", [PortMapping(80, 9000), PortMapping(81, 9001)]),
        ("{target: 80}", [PortMapping(80)]),
        ("{target: '80', published: '8080', host_ip: 0.0.0.0, protocol: sctp, name: web}",
         [PortMapping(80, 8080, "0.0.0.0", "sctp")]),  # noqa: S104 (a value of the file)
    ],
)  # fmt: skip
def test_ports_are_published_as_compose_has_them(folder: Folder, written: str, expected: list[PortMapping]) -> None:
    """``[HOST_IP:][PUBLISHED:]TARGET[/PROTOCOL]`` or a mapping; ``22:22`` is text in YAML 1.2."""
    assert list(container_of(folder, f"image: i, ports: [{written}]").ports) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/d", Mount("volume", "/d")),
        ("v:/d", Mount("volume", "/d", "v")),
        ("v:/d:ro", Mount("volume", "/d", "v", True)),
        ("v:/d:rw", Mount("volume", "/d", "v", False)),
        ("./x:/d", Mount("bind", "/d", "{folder}/x")),
        ("../x:/d:ro", Mount("bind", "/d", "{parent}/x", True)),
        ("/x:/d", Mount("bind", "/d", "/x")),
        ("~/x:/d", Mount("bind", "/d", "/home/me/x")),
        ("{target: /d}", Mount("volume", "/d")),
        ("{type: volume, source: v, target: /d, read_only: true}", Mount("volume", "/d", "v", True)),
        ("{type: bind, source: x, target: /d}", Mount("bind", "/d", "{folder}/x")),
        ("{type: tmpfs, target: /d}", Mount("tmpfs", "/d")),
    ],
)
def test_volumes_are_mounted_as_compose_has_them(folder: Folder, written: str, expected: Mount) -> None:
    """``[SOURCE:]TARGET[:ro]`` or a mapping; a source that begins like a path is one."""
    (mount,) = container_of(folder, f"image: i, volumes: [{written}]", {"HOME": "/home/me"}).mounts
    source = expected.source and expected.source.format(folder=folder.path, parent=folder.path.parent)
    assert mount == Mount(expected.kind, expected.target, source, expected.read_only)


@pytest.mark.parametrize("field", ["ports", "volumes", "networks"])
@pytest.mark.parametrize("written", ["", "[]", "~"])
def test_lists_may_be_empty(folder: Folder, field: str, written: str) -> None:
    """As when all of it is commented out."""
    found = container_of(folder, f"image: i, {field}: {written}")
    assert (found.ports, found.mounts, found.networks) == ((), (), ())


@pytest.mark.parametrize(("written", "expected"), [("if_not_present", "missing"), ("never", "never")])
def test_pull_takes_composes_words(folder: Folder, written: str, expected: str) -> None:
    """``if_not_present`` is Compose's other word for ``missing``."""
    assert container_of(folder, f"image: i, pull: {written}").pull == expected


CONTAINER_ONLY = ("entrypoint: x", "ports: [80]", "volumes: [/d]", "networks: [n]", "container_name: n", "pull: always",
                  "platform: p")  # fmt: skip
PROCESS_ONLY = ("shell: true", "group: g", "umask: 022", "nice: 1", "limits: {nofile: 5}")


@pytest.mark.parametrize("field", CONTAINER_ONLY)
def test_what_is_for_containers_only_is_an_error_on_a_process(folder: Folder, field: str) -> None:
    """config.md: "containers only; on a process they are errors"."""
    assert folder.problem(f"components:\n  a: {{command: x, {field}}}\n") == (
        f"2:19: components.a.{field.partition(':')[0]}: for containers only; this component has no 'image'"
    )


@pytest.mark.parametrize("field", PROCESS_ONLY)
def test_what_is_for_processes_only_is_an_error_on_a_container(folder: Folder, field: str) -> None:
    """config.md: "process-only keys are on a container where Docker has no such thing"."""
    assert folder.problem(f"components:\n  a: {{image: i, {field}}}\n") == (
        f"2:17: components.a.{field.partition(':')[0]}: for processes only; this component has an 'image'"
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("ports: 80", "24: .ports: expected a list, found the number 80"),
        ("ports: {a: b}", "24: .ports: expected a list, found a mapping"),
        ("volumes: /d", "26: .volumes: expected a list, found '/d'"),
        ("ports: [true]", "25: .ports[0]: expected a port from 1 to 65535, or a range such as 3000-3005, found 'true'"),
        ("ports: [80.5]", "25: .ports[0]: expected a port from 1 to 65535, or a range such as 3000-3005, found '80.5'"),
        ("ports: [5-3]", "25: .ports[0]: expected a port from 1 to 65535, or a range such as 3000-3005, found '5-3'"),
        ("ports: [~]", "25: .ports[0].target: expected 'target', which is required"),
        ("ports: ['1:2:3:4']", "25: .ports[0]: expected a port such as 8080:80, or a mapping, found '1:2:3:4'"),
        ("ports: [{target: 1, prot: x}]", "37: .ports[0].prot: unknown key 'prot'; did you mean 'protocol'?"),
        ("ports: ['80:80/xyz']", "25: .ports[0]: expected tcp, udp or sctp, found 'xyz'"),
        ("volumes: ['a::/b']", "27: .volumes[0]: expected a volume such as ./data:/data, or a mapping, found 'a::/b'"),
        ("volumes: [{type: tmpfs, source: x, target: /d}]", "27: .volumes[0]: expected no 'source' for a tmpfs, found "
         "'x'"),
        ("working_dir: x", "30: .working_dir: expected an absolute path in the container, found 'x'"),
        ("container_name: -x", "33: .container_name: expected a name of letters, digits, '_', '.' and '-' that begins "
         "with a letter or digit, found '-x'"),
        ("entrypoint: \"it's\"", "29: .entrypoint: cannot split the command into words: a quotation mark in it is "
         "never closed; close it"),
        ("pull_policy: always", "17: .pull_policy: unknown key 'pull_policy'; did you mean 'pull'?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_container_is_told_at_its_place(folder: Folder, fields: str, expected: str) -> None:
    """With what was expected and what was found."""
    found = folder.problem(f"components:\n  a: {{image: i, {fields}}}\n")
    assert found == "2:" + expected.replace(" .", " components.a.", 1)


def test_all_bad_items_of_a_list_are_told(folder: Folder) -> None:
    """And not only the first."""
    found = folder.problems("components: {a: {image: i, ports: [0, 80, x], volumes: ['', a:b]}}\n")
    assert [line.split(": ")[1] for line in found] == [
        "components.a.ports[0]", "components.a.ports[2]", "components.a.volumes[0]"
    ]  # fmt: skip
