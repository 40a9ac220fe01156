"""What two components can't share: a log file, the name of a container, a port of the machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping

from stigmer_pm.config.model_container import PortBlock
from stigmer_pm.config.resolve_context import Part
from stigmer_pm.config.resolve_execution import is_container
from stigmer_pm.spec.component import ComponentSpec

# Published ports of a file: all that a machine has, for TCP and for UDP.
_MOST_PORTS = 2 * 65535
_ALL = "*"

_Owners = dict[tuple[str, int, int], dict[str, tuple[str, int]]]
"""By protocol, port and version of IP: which component (and which of its ports) has which address first."""


def check_count_of_ports(parts: Mapping[str, Part]) -> None:
    """Stop before the ranges of ports are written out, if they are a mistake or an attack.

    Raises:
        ConfigError: there are too many.
    """
    count = 0
    for part in parts.values():
        for index, block in enumerate(part.model.ports or ()):
            count += block.target.last - block.target.first + 1
            if count > _MOST_PORTS:
                part.complain(f"the ranges of ports in the file come to more than {_MOST_PORTS}", "ports", index)
                part.project.read.problems.raise_any()


def complain_of_shared(parts: Mapping[str, Part], components: Collection[ComponentSpec]) -> None:
    """Note what two components can't share."""
    logs: dict[str, str] = {}
    containers: dict[str, str] = {}
    for component in components:
        part = parts[component.name]
        first = logs.setdefault(component.log, component.name) if component.log else component.name
        if first != component.name:
            part.complain(f"'{first}' writes to the same log, {component.log}; give each its own", "log")
        if component.container is not None:
            called = component.container.container_name
            first = containers.setdefault(called, component.name)
            if first != component.name:
                words = f"the container of '{first}' is called '{called}' as well; give each its own"
                part.complain(words, "container_name")
    _complain_of_ports(parts)


def _complain_of_ports(parts: Mapping[str, Part]) -> None:
    """Note ports of this machine that two containers publish. What has profiles may be one of several that stand in
    for each other, so it only counts with itself."""
    shared: _Owners = {}
    for part in parts.values():
        owners = {} if part.model.profiles else shared
        for index, block in enumerate(part.model.ports or () if is_container(part) else ()):
            found = _owner(owners, block, (part.name, index))
            if found is not None:
                port, (name, first) = found
                who = f"'{name}'" if name != part.name else f"ports[{first}]"
                words = f"{who} publishes port {port}/{block.protocol or 'tcp'} of this machine as well; choose another"
                part.complain(words, "ports", index)


def _owner(owners: _Owners, block: PortBlock, me: tuple[str, int]) -> tuple[int, tuple[str, int]] | None:
    """The first port of ``block`` that another has already, and who; the others become those of ``me``."""
    ip = None if block.host_ip is None else ipaddress.ip_address(block.host_ip)
    versions = (4, 6) if ip is None else (ip.version,)
    address = _ALL if ip is None or ip.is_unspecified else str(ip)
    found = None
    for port in _published(block):
        for version in versions:
            at_port = owners.setdefault((block.protocol or "tcp", port, version), {})
            # All addresses take in each one of them.
            other = next(iter(at_port.values()), None) if address == _ALL else at_port.get(address, at_port.get(_ALL))
            if other is None:
                at_port[address] = me
            elif found is None:
                found = port, other
    return found


def _published(block: PortBlock) -> Iterator[int]:
    """The ports of this machine that it takes for certain: of a range for one port, the engine takes a free one."""
    published = block.published
    if published is not None and published.last - published.first == block.target.last - block.target.first:
        yield from range(published.first, published.last + 1)
