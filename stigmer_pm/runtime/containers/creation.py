"""From what the file says of a container to what its engine is asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from stigmer_pm.runtime.containers.networks import Joined, endpoint_config
from stigmer_pm.spec import ComponentSpec, ContainerExecution, ContainerLimits, Mount, PortMapping
from stigmer_pm.spec.signals import signal_name

if TYPE_CHECKING:
    from docker import APIClient

#: How an engine names volumes that nobody has named.
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_RLIMITS = ("nofile", "nproc", "core")


def create(
    client: APIClient,
    spec: ComponentSpec,
    execution: ContainerExecution,
    labels: Mapping[str, str],
    network: Joined,
    kept: Sequence[tuple[str, str]],
) -> str:
    """Make a container, which is not started yet; its id. ``network`` is the first one that it joins.

    ``kept`` are anonymous volumes, as (name, target), of the container that this one follows.
    """
    mounts = [*execution.mounts, *(Mount("volume", target, name) for name, target in kept)]
    host = client.create_host_config(
        network_mode=network.name,
        restart_policy={"Name": "no"},  # restarting is the supervisor's
        port_bindings=_bindings(execution.ports),
        binds=[_bind(mount) for mount in mounts if _is_bind_string(mount)],
        mounts=[_mount(mount) for mount in mounts if not _is_bind_string(mount)],
        **_limits(execution.limits),
    )
    found = client.create_container(
        execution.image,
        command=None if execution.command is None else list(execution.command),
        entrypoint=_entrypoint(execution.entrypoint),
        environment=[f"{name}={value}" for name, value in execution.environment.items()],
        ports=[(port.target, port.protocol) for port in execution.ports],
        working_dir=execution.working_dir,
        user=execution.user,
        name=execution.container_name,
        labels=dict(labels),
        stop_signal=signal_name(spec.stop_signal) if spec.stop_signal else None,
        host_config=host,
        networking_config=endpoint_config(client, network),
        platform=execution.platform,
        # For whoever stops it by hand, and for an engine that is stopped itself.
        stop_timeout=math.ceil(spec.stop_timeout),
        use_config_proxy=False,
    )
    return str(found["Id"])


def anonymous_volumes(inspected: Mapping[str, Any], execution: ContainerExecution) -> list[tuple[str, str]]:
    """The volumes, as (name, target), that an image has asked for and nobody has named. What is in them outlives the
    container (Compose: it does when a service is recreated)."""
    declared = {mount.target.rstrip("/") for mount in execution.mounts}
    return [
        (str(mount["Name"]), str(mount["Destination"]))
        for mount in inspected.get("Mounts") or ()
        if mount.get("Type") == "volume"
        and _ANONYMOUS.fullmatch(str(mount.get("Name")))
        and str(mount["Destination"]).rstrip("/") not in declared
    ]


def _entrypoint(words: Sequence[str] | None) -> Any:
    """An empty list clears the entrypoint of the image, for which the API wants an empty word."""
    if words is None:
        return None
    return list(words) or [""]


def _bindings(ports: Sequence[PortMapping]) -> dict[int | str, Any]:
    found: dict[int | str, Any] = {}
    for port in ports:
        published = "" if port.published is None else str(port.published)
        if port.published_end is not None:
            published = f"{published}-{port.published_end}"
        found.setdefault(f"{port.target}/{port.protocol}", []).append((port.host_ip or "", published))
    return found


def _is_bind_string(mount: Mount) -> bool:
    """Only in this old form does an engine make a source that is not there, and label it for SELinux."""
    return (mount.kind == "bind" and mount.create) or mount.selinux is not None


def _bind(mount: Mount) -> str:
    options = ["ro" if mount.read_only else "rw"]
    if mount.selinux is not None:
        options.append(mount.selinux)
    if mount.nocopy:
        options.append("nocopy")
    return f"{mount.source}:{mount.target}:{','.join(options)}"


def _mount(mount: Mount) -> Any:
    from docker.types import Mount as EngineMount

    return EngineMount(
        mount.target,
        mount.source,
        type=cast(Any, mount.kind),
        read_only=mount.read_only,
        no_copy=mount.nocopy,
        subpath=mount.subpath if mount.kind == "volume" else None,
        tmpfs_size=mount.size,
        tmpfs_mode=mount.mode,
    )


def _limits(limits: ContainerLimits) -> dict[str, Any]:
    from docker.types import Ulimit

    found: dict[str, Any] = {}
    if limits.memory is not None:
        # Without the second, the engine would let it have as much swap again.
        found["mem_limit"] = found["memswap_limit"] = limits.memory
    if limits.cpu is not None:
        found["nano_cpus"] = round(limits.cpu * 1e9)
    ulimits = [(name, getattr(limits, name)) for name in _RLIMITS if getattr(limits, name) is not None]
    if ulimits:
        found["ulimits"] = [Ulimit(name=name, soft=value, hard=value) for name, value in ulimits]
    return found
