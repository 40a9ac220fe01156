"""What is executed for a container."""

from __future__ import annotations

from collections.abc import Iterator

from stigmer_pm.config.field_container import engine_name_words, is_engine_name
from stigmer_pm.config.fields import found_words
from stigmer_pm.config.model_component import PROCESS_ONLY
from stigmer_pm.config.model_container import PortBlock
from stigmer_pm.config.resolve_context import Part
from stigmer_pm.config.resolve_environment import resolve_environment
from stigmer_pm.config.resolve_execution import log_path, split_argv
from stigmer_pm.config.resolve_mount import resolve_mounts
from stigmer_pm.spec.component import ContainerExecution, ContainerLimits, Network, PortMapping

# What a Docker engine refuses less than (moby: linuxMinMemory).
_LEAST_MEMORY = 6 * 1024 * 1024
# Not networks of the project, but the machine's own, and none at all. No container is in one of them and in another.
_STAND_ALONE = ("host", "none")


def resolve_container(part: Part) -> ContainerExecution:
    """A container."""
    model = part.model
    for key in sorted(part.own.intersection(PROCESS_ONLY)):
        part.complain("for processes only; this component has an 'image'", key, at_key=True)
    if model.working_dir is not None and not model.working_dir.startswith("/"):
        words = f"expected an absolute path in the container, found {found_words(model.working_dir)}"
        part.complain(words, "working_dir")
    return ContainerExecution(
        image=model.image or "",
        container_name=model.container_name or f"{part.project.name}-{part.name}",
        project=part.project.name,
        log=log_path(part),
        entrypoint=None if model.entrypoint is None else split_argv(part, model.entrypoint, "entrypoint"),
        command=None if model.command is None else split_argv(part, model.command, "command"),
        environment=resolve_environment(part),
        ports=_ports(part),
        mounts=resolve_mounts(part),
        networks=_networks(part),
        working_dir=model.working_dir,
        user=model.user,
        pull=model.pull or "missing",
        platform=model.platform,
        limits=_limits(part),
    )


def named_ports(part: Part) -> dict[str, int]:
    """The container's ports that have a name. A name that stands there twice is noted."""
    found: dict[str, int] = {}
    for index, block in enumerate(part.model.ports or ()):
        if block.name is None:
            continue
        if found.setdefault(block.name, block.target.first) != block.target.first:
            part.complain(f"another port is called '{block.name:.60}' as well", "ports", index, "name")
    return found


def _limits(part: Part) -> ContainerLimits:
    block = part.model.limits
    if block is None:
        return ContainerLimits()
    if block.memory is not None and block.memory < _LEAST_MEMORY:
        words = f"expected 6MiB or more, which is the least that Docker takes, found {block.memory} bytes"
        part.complain(words, "limits", "memory")
    return ContainerLimits(block.memory, block.cpu, block.nofile, block.nproc, block.core)


def _ports(part: Part) -> tuple[PortMapping, ...]:
    alone = next((name for name in part.model.networks or () if name in _STAND_ALONE), None)
    if part.model.ports and alone is not None:
        why = "the container's ports are the machine's already" if alone == "host" else "nothing reaches the container"
        part.complain(f"not with 'networks: [{alone}]': {why}; remove one of the two", "ports", at_key=True)
    return tuple(port for index, block in enumerate(part.model.ports or ()) for port in _mappings(part, index, block))


def _mappings(part: Part, index: int, block: PortBlock) -> Iterator[PortMapping]:
    published, protocol = block.published, block.protocol or "tcp"
    count = block.target.last - block.target.first
    if published is not None and published.last - published.first != count:
        if count:
            words = "expected as many published ports as ports of the container, or one port of the container"
            part.complain(words, "ports", index)
            return
        yield PortMapping(block.target.first, published.first, block.host_ip, protocol, published.last)
        return
    for offset in range(count + 1):
        first = None if published is None else published.first + offset
        yield PortMapping(block.target.first + offset, first, block.host_ip, protocol)


def _networks(part: Part) -> tuple[Network, ...]:
    blocks = part.model.networks or {}
    indexes = part.indexes("networks")
    for name, block in blocks.items():
        place = ("networks", indexes.get(name, name))
        if not is_engine_name(name):
            part.complain(f"expected {engine_name_words()}, found {found_words(name)}", *place, at_key=True)
        elif name in _STAND_ALONE and len(blocks) > 1:
            part.complain(f"'{name}' stands alone: remove it, or the other networks", *place, at_key=True)
        elif name in _STAND_ALONE and block.aliases:
            part.complain(f"there are no aliases on '{name}'", *place, "aliases", at_key=True)
    return tuple(Network(name, block.aliases or ()) for name, block in blocks.items())
