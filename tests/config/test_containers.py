"""Containers: what every one has, and what is for one kind of component only."""

from __future__ import annotations

import pytest

from stigmer_pm.spec import ContainerExecution, ContainerLimits, Mount, Network, PortMapping

from .conftest import Folder, container_of


def test_a_container_that_says_nothing_has_the_defaults_of_the_contract(folder: Folder) -> None:
    """config.md: "`container_name` defaults to `PROJECT-COMPONENT`, `pull` to `missing`"."""
    assert container_of(folder, "image: redis:7") == ContainerExecution(
        image="redis:7",
        container_name="project-a",
        project="project",
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
        limits=ContainerLimits(None, None, None, None, None),
    )


def test_every_field_of_a_container_arrives_in_the_spec(folder: Folder) -> None:
    """Each with a value that is not its default."""
    folder.write("A=1\n", "e.env")
    found = container_of(
        folder,
        "image: i, entrypoint: /entry.sh -v, command: [redis-server, --save, ''], environment: [B=2], env_file: e.env, "
        "ports: [80], volumes: [v:/d], networks: [back, front], container_name: my.box_1, pull: always, "
        "platform: linux/arm64, working_dir: /srv, user: 1000:1000, log: l, "
        "limits: {memory: 64MiB, cpu: 0.5, nofile: 1024, nproc: unlimited, core: 0}",
    )
    assert found == ContainerExecution(
        image="i",
        container_name="my.box_1",
        project="project",
        log=str(folder.path / "l"),
        entrypoint=("/entry.sh", "-v"),
        command=("redis-server", "--save", ""),
        environment={"A": "1", "B": "2"},
        ports=(PortMapping(80),),
        mounts=(Mount("volume", "/d", "project-v"),),
        networks=(Network("back"), Network("front")),
        working_dir="/srv",
        user="1000:1000",
        pull="always",
        platform="linux/arm64",
        limits=ContainerLimits(memory=64 << 20, cpu=0.5, nofile=1024, nproc=-1, core=0),
    )


def test_an_empty_entrypoint_takes_the_images_away(folder: Folder) -> None:
    """As in Compose; an empty command would leave nothing to run."""
    assert container_of(folder, "image: i, entrypoint: []").entrypoint == ()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("image: i", 0),
        ("image: i, stop_signal: SIGQUIT", 3),
        ("image: i, stop_signal: TERM", 15),
        ("command: x", 15),
    ],
)
def test_a_container_is_stopped_by_the_signal_of_its_image(folder: Folder, fields: str, expected: int) -> None:
    """0: the image's STOPSIGNAL, or SIGTERM; the file goes before it."""
    assert folder.component(fields).stop_signal == expected


def test_a_signal_in_defaults_is_the_containers_too(folder: Folder) -> None:
    """For the file has named one."""
    spec = folder.load("defaults: {stop_signal: INT}\ncomponents: {a: {image: i}, b: {command: x}}\n")
    assert [component.stop_signal for component in spec.components] == [2, 2]


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


CONTAINER_ONLY = ("entrypoint: x", "ports: [80]", "volumes: [/d]", "networks: [n]", "container_name: nn",
                  "pull: always", "platform: p")  # fmt: skip
PROCESS_ONLY = ("shell: true", "group: g", "umask: 022", "nice: 1")


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
        ("working_dir: x", "30: .working_dir: expected an absolute path in the container, found 'x'"),
        ("container_name: -x", "33: .container_name: expected a name of two or more letters, digits, '_', '.' and '-' "
         "that begins with a letter or digit, found '-x'"),
        ("container_name: x", "33: .container_name: expected a name of two or more letters, digits, '_', '.' and '-' "
         "that begins with a letter or digit, found 'x'"),
        ("entrypoint: \"it's\"", "29: .entrypoint: cannot split the command into words: a quotation mark in it is "
         "never closed; close it"),
        ("platform: linux/", "27: .platform: expected a platform such as linux/amd64 or linux/arm/v7, found 'linux/'"),
        ("platform: a/b/c/d", "27: .platform: expected a platform such as linux/amd64 or linux/arm/v7, found "
         "'a/b/c/d'"),
        ("platform: 'linux arm'", "27: .platform: expected a platform such as linux/amd64 or linux/arm/v7, found "
         "'linux arm'"),
        ("limits: {memory: 6291455}", "34: .limits.memory: expected 6MiB or more, which is the least that Docker "
         "takes, found 6291455 bytes"),
        ("limits: {memory: 0}", "34: .limits.memory: expected 6MiB or more, which is the least that Docker takes, "
         "found 0 bytes"),
        ("limits: {cpu: 0}", "31: .limits.cpu: expected a number of 0.01 or more and 100000 at most, found the "
         "number 0"),
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


@pytest.mark.parametrize("written", ["linux", "linux/amd64", "linux/arm/v7", "windows/amd64"])
def test_a_platform_is_written_as_docker_has_it(folder: Folder, written: str) -> None:
    """``OS[/ARCH[/VARIANT]]``."""
    assert container_of(folder, f"image: i, platform: {written}").platform == written


def test_the_least_memory_is_taken(folder: Folder) -> None:
    """Docker's own bound."""
    assert container_of(folder, "image: i, limits: {memory: 6MiB}").limits.memory == 6 << 20


@pytest.mark.parametrize(
    ("other", "place"),
    [("b: {image: i, container_name: p-a}", "4:33"), ("b: {image: i, container_name: 'p-a', profiles: [x]}", "4:33")],
)
def test_a_name_that_another_container_has_by_default_is_an_error(folder: Folder, other: str, place: str) -> None:
    """An engine has each name once, whether it runs or not."""
    assert folder.problem(f"project: p\ncomponents:\n  a: {{image: i}}\n  {other}\n") == (
        f"{place}: components.b.container_name: the container of 'a' is called 'p-a' as well; give each its own"
    )


def test_a_default_name_that_another_container_was_given_is_an_error(folder: Folder) -> None:
    """At the component, for it says nothing of it; the cure is to give it a name."""
    assert folder.problem("project: p\ncomponents:\n  a: {image: i, container_name: p-b}\n  b: {image: i}\n") == (
        "4:3: components.b: the container of 'a' is called 'p-b' as well; give each its own"
    )


@pytest.mark.parametrize(
    "probe",
    ["http: {port: web}", "httpGet: {port: web}", "tcp: {port: web}", "tcpSocket: {port: web, host: localhost}",
     "http: 'http://localhost:8080/'", "tcp: 8080", "http: {port: 8080, host: 127.0.0.1}"],
)  # fmt: skip
def test_a_probe_asks_the_containers_own_port(folder: Folder, probe: str) -> None:
    """By number or by the name under ``ports``; the default host, which ``localhost`` is too, is the container."""
    fields = "image: i, ports: [{target: 8080, published: 80, name: web}]"
    readiness = folder.component(f"{fields}, probes: {{readiness: {{{probe}}}}}").probes.readiness
    assert readiness is not None
    check = readiness.http or readiness.tcp
    assert check is not None
    assert (check.host, check.port) == ("127.0.0.1", 8080)


@pytest.mark.parametrize("probe", ["http: {port: 80, host: db.test}", "tcp: 'db.test:80'", "http: 'http://db.test/'"])
def test_a_probe_of_another_host_stays_there(folder: Folder, probe: str) -> None:
    """It is not about the container."""
    readiness = folder.component(f"image: i, probes: {{readiness: {{{probe}}}}}").probes.readiness
    assert readiness is not None
    check = readiness.http or readiness.tcp
    assert check is not None
    assert check.host == "db.test"


def test_a_process_keeps_localhost(folder: Folder) -> None:
    """Its name may stand for an address of IPv6."""
    readiness = folder.component("command: x, probes: {readiness: {tcp: 'localhost:80'}}").probes.readiness
    assert readiness is not None
    assert readiness.tcp is not None
    assert readiness.tcp.host == "localhost"
