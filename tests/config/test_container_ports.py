"""Published ports of containers: Compose's short and long forms, and ports that two of them want."""

from __future__ import annotations

import pytest

from stigmer_pm.spec import PortMapping

from .conftest import Folder, container_of


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("80", [PortMapping(80)]),
        ("'80'", [PortMapping(80)]),
        ("8080:80", [PortMapping(80, 8080)]),
        ("8080:80/udp", [PortMapping(80, 8080, None, "udp")]),
        ("8080:80/TCP", [PortMapping(80, 8080)]),
        ("80/udp", [PortMapping(80, None, None, "udp")]),
        ("127.0.0.1:8080:80", [PortMapping(80, 8080, "127.0.0.1")]),
        ("127.0.0.1::80", [PortMapping(80, None, "127.0.0.1")]),
        ("'[::1]:8080:80'", [PortMapping(80, 8080, "::1")]),
        ("'[::1]:6060:6060/udp'", [PortMapping(6060, 6060, "::1", "udp")]),
        ("3000-3002", [PortMapping(3000), PortMapping(3001), PortMapping(3002)]),
        ("9000-9001:80-81", [PortMapping(80, 9000), PortMapping(81, 9001)]),
        ("127.0.0.1:5000-5001:5000-5001/udp",
         [PortMapping(5000, 5000, "127.0.0.1", "udp"), PortMapping(5001, 5001, "127.0.0.1", "udp")]),
        ("9000-9010:80", [PortMapping(80, 9000, published_end=9010)]),
        ("{target: 80}", [PortMapping(80)]),
        ("{target: 80, published: 8080-8090}", [PortMapping(80, 8080, published_end=8090)]),
        ("{target: 443, published: '8443', mode: host, app_protocol: https}", [PortMapping(443, 8443)]),
        ("{target: 443, published: 8443, mode: ingress, host_ip: '::1'}", [PortMapping(443, 8443, "::1")]),
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
        ("'::1:8080:80'", "25: components.a.ports[0]: expected a port such as 8080:80, or a mapping, found "
         "'::1:8080:80'; an IPv6 address stands in brackets: [::1]:8080:80"),
        ("'localhost:8080:80'", "25: components.a.ports[0]: expected an address such as 127.0.0.1 or ::1, found "
         "'localhost'; write 127.0.0.1"),
        ("'[nowhere]:8080:80'", "25: components.a.ports[0]: expected an address such as 127.0.0.1 or ::1, found "
         "'[nowhere]'"),
        ("{target: 80, host_ip: 1.2.3}", "47: components.a.ports[0].host_ip: expected an address such as 127.0.0.1 "
         "or ::1, found '1.2.3'"),
        ("'8000-8001:80-82'", "25: components.a.ports[0]: expected as many published ports as ports of the container, "
         "or one port of the container"),
        ("{target: 80, mode: swarm}", "44: components.a.ports[0].mode: expected ingress or host, found 'swarm'"),
        ("{target: 80, publish: 80}", "38: components.a.ports[0].publish: unknown key 'publish'; did you mean "
         "'published'?"),
        ("'8080:'", "25: components.a.ports[0]: expected a port such as 8080:80, or a mapping, found '8080:'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_port_is_told_at_its_place(folder: Folder, written: str, expected: str) -> None:
    """With what is valid."""
    assert folder.problem(f"components:\n  a: {{image: i, ports: [{written}]}}\n") == f"2:{expected}"


def test_two_ports_of_one_name_are_an_error(folder: Folder) -> None:
    """A probe would ask one of them, and nobody could tell which."""
    ports = "[{target: 80, name: web}, {target: 81, name: web}]"
    assert folder.problem(f"components:\n  a: {{image: i, ports: {ports}}}\n") == (
        "2:69: components.a.ports[1].name: another port is called 'web' as well"
    )


@pytest.mark.parametrize(
    ("first", "second", "port"),
    [
        ("8080:80", "8080:81", "8080/tcp"),
        ("8080:80/udp", "8080:80/udp", "8080/udp"),
        ("127.0.0.1:8080:80", "127.0.0.1:8080:80", "8080/tcp"),
        ("127.0.0.1:8080:80", "8080:80", "8080/tcp"),
        ("8080:80", "127.0.0.1:8080:80", "8080/tcp"),
        ("0.0.0.0:8080:80", "127.0.0.1:8080:80", "8080/tcp"),
        ("[::]:8080:80", "[::1]:8080:80", "8080/tcp"),
        ("[0::1]:8080:80", "[::1]:8080:80", "8080/tcp"),
        ("8080:80", "[::1]:8080:80", "8080/tcp"),
        ("8000-8002:80-82", "8001:90", "8001/tcp"),
    ],
)
def test_a_port_of_the_machine_is_published_once(folder: Folder, first: str, second: str, port: str) -> None:
    """The error names both components; all addresses take in each one of them."""
    text = f"components:\n  web: {{image: i, ports: ['{first}']}}\n  api: {{image: i, ports: ['{second}']}}\n"
    assert folder.problem(text) == (
        f"3:27: components.api.ports[0]: 'web' publishes port {port} of this machine as well; choose another"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("8080:80", "8081:80"),
        ("8080:80", "8080:80/udp"),
        ("127.0.0.1:8080:80", "127.0.0.2:8080:80"),
        ("0.0.0.0:8080:80", "[::]:8080:80"),
        ("80", "80"),
        ("8080:80", "8080-8090:80"),  # any free one
    ],
)
def test_other_ports_and_other_addresses_are_no_matter(folder: Folder, first: str, second: str) -> None:
    """Nothing is shared."""
    folder.load(f"components:\n  web: {{image: i, ports: ['{first}']}}\n  api: {{image: i, ports: ['{second}']}}\n")


def test_components_with_profiles_may_stand_in_for_each_other(folder: Folder) -> None:
    """They need not run at the same time."""
    folder.load(
        "components:\n  web: {image: i, ports: ['80:80']}\n  b: {image: i, ports: ['80:80'], profiles: [x]}\n"
        "  c: {image: i, ports: ['80:80'], profiles: [y]}\n"
    )


@pytest.mark.parametrize("profiles", ["", ", profiles: [x]"])
def test_one_container_publishes_a_port_once(folder: Folder, profiles: str) -> None:
    """With or without profiles."""
    text = f"components:\n  web: {{image: i, ports: ['80:80', '81:81', '80:8080']{profiles}}}\n"
    assert folder.problem(text) == (
        "2:45: components.web.ports[2]: ports[0] publishes port 80/tcp of this machine as well; choose another"
    )


def test_a_whole_range_that_is_published_twice_is_told_once(folder: Folder) -> None:
    """And soon: there may be 65 535 of them."""
    text = "components:\n  a: {image: i, ports: ['1-65535:1-65535']}\n  b: {image: i, ports: ['1-65535:1-65535']}\n"
    assert folder.problem(text).startswith("3:25: components.b.ports[0]: 'a' publishes port 1/tcp of this machine")


def test_ports_from_defaults_are_no_matter_to_processes(folder: Folder) -> None:
    """They publish none."""
    folder.load("defaults: {ports: ['80:80']}\ncomponents: {a: {image: i}, b: {command: x}, c: {command: x}}\n")
