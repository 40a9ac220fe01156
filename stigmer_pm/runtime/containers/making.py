"""Making and starting the container of a run, in blocking calls of the SDK, and what is in the way of it."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stigmer_pm.runtime.containers import creation, labels, networks, seen
from stigmer_pm.runtime.containers.seen import Seen
from stigmer_pm.runtime.containers.trouble import EngineRefusal
from stigmer_pm.spec import ComponentSpec, ContainerExecution

if TYPE_CHECKING:
    from docker import APIClient

#: Seconds that the removal of a container may take before its name is taken for taken, and between attempts.
_GOING_WITHIN, _AGAIN = 10.0, 0.1
#: Seconds that a container has for its end whose configuration names none (Docker's).
_USUAL_TIMEOUT = 10
#: Subpaths of volumes are ignored without a word by engines that don't know them.
_SUBPATH_SINCE = (1, 45)


@dataclass(frozen=True, slots=True)
class Order:
    """A run to be made. ``owner`` marks the project's containers; ``drain`` reads what is left of a container's output
    before the container goes, ``drop`` forgets how far that had come; ``is_ending``: it is being stopped already."""

    owner: labels.Owner
    instance: str
    run: int
    spec: ComponentSpec
    execution: ContainerExecution
    drain: Callable[[str], None]
    drop: Callable[[str], None]
    is_ending: Callable[[str], bool]


@dataclass(slots=True)
class _Old:
    """What earlier runs of the instance have left: a container that goes on (``running``), those that have ended, and
    the volumes to keep of these, by their targets."""

    running: Seen | None = None
    ended: list[str] = field(default_factory=list)
    volumes: dict[str, str] = field(default_factory=dict)


def make(client: APIClient, order: Order, joined: Sequence[networks.Joined]) -> tuple[str, bool]:
    """The id of a container for the run, and whether it runs already: one of an earlier supervisor whose records are
    lost, or that somebody else has started again, and that executes the same.

    Raises:
        EngineRefusal: something is in the way.
    """
    _check(client, order.execution)
    old = _clear(client, order)
    if old.running is not None:
        return old.running.id, True
    marks = labels.labels_of(order.owner, order.instance, order.run, order.spec, order.execution)
    made = _create(
        client,
        order,
        lambda: creation.create(
            client, order.spec, order.execution, marks, joined[0], [(name, to) for to, name in old.volumes.items()]
        ),
    )
    # Only now: until then they alone know of their anonymous volumes.
    for container in old.ended:
        remove(client, container)
        order.drop(container)
    for network in joined[1:]:
        client.connect_container_to_network(made, network.name, aliases=list(network.aliases))
    return made, False


def start(client: APIClient, container: str) -> None:
    """Start a container. One that can't be started stays, for the next attempt has its anonymous volumes from it."""
    client.start(container)


def inspect(client: APIClient, container: str) -> Seen:
    """How a container stands."""
    return seen.read(client.inspect_container(container))


def remove(client: APIClient, container: str) -> None:
    """Remove a container, whatever it does; its volumes stay."""
    try:
        client.remove_container(container, v=False, force=True)
    except Exception as error:
        if getattr(error, "status_code", None) not in (404, 409):  # gone, or going
            raise


def stop(client: APIClient, container: str) -> None:
    """Stop a container in good order, as its own configuration wants it."""
    try:
        seconds = client.inspect_container(container)["Config"].get("StopTimeout")
        client.stop(container, timeout=_USUAL_TIMEOUT if seconds is None else int(seconds))
    except Exception as error:
        if getattr(error, "status_code", None) not in (304, 404, 409):
            raise


def stop_and_remove(client: APIClient, container: str) -> None:
    """Stop a container in good order, and remove it; its volumes stay."""
    stop(client, container)
    remove(client, container)


def inspect_all(client: APIClient, key: str, instance: str) -> list[Seen]:
    """How the containers of an instance stand."""
    found = (_inspect_or_none(client, str(entry["Id"])) for entry in all_of(client, key, instance))
    return [seen for seen in found if seen is not None]


def all_of(client: APIClient, key: str, instance: str | None = None) -> list[dict[str, object]]:
    """The containers of a project, or of one of its instances, as ``docker ps -a`` lists them."""
    wanted = [f"{labels.KEY}={key}", *([] if instance is None else [f"{labels.INSTANCE}={instance}"])]
    return list(client.containers(all=True, filters={"label": wanted}))


def _create(client: APIClient, order: Order, create: Callable[[], str]) -> str:
    """Make the container; while one of ours that has its name is on its way out, wait for that."""
    ends_at = time.monotonic() + _GOING_WITHIN
    while True:
        try:
            return create()
        except Exception as error:
            is_taken = getattr(error, "status_code", None) == 409
            if not is_taken or not _free_name(client, order) or time.monotonic() > ends_at:
                raise
        time.sleep(_AGAIN)


def _inspect_or_none(client: APIClient, container: str) -> Seen | None:
    """How a container stands; ``None``: it has gone."""
    try:
        return inspect(client, container)
    except Exception as error:
        if getattr(error, "status_code", None) == 404:
            return None
        raise


def _clear(client: APIClient, order: Order) -> _Old:
    """End what earlier runs of the instance have left, but for one that runs and executes the same."""
    old = _Old()
    for container in inspect_all(client, order.owner.key, order.instance):
        is_same = container.labels.get(labels.SPEC) == labels.fingerprint(order.execution)
        if container.is_running and is_same and old.running is None and not order.is_ending(container.id):
            old.running = container
            continue
        for name, target in creation.anonymous_volumes(container.details, order.execution):
            old.volumes.setdefault(target, name)  # the newest container comes first
        if container.is_running:
            client.stop(container.id, timeout=math.ceil(order.spec.stop_timeout))
        order.drain(container.id)
        old.ended.append(container.id)
        if container.name == order.execution.container_name:
            _move_aside(client, container)
    return old


def _move_aside(client: APIClient, container: Seen) -> None:
    """Give a container another name, for another one needs it."""
    try:
        client.rename(container.id, f"{container.name}-{container.id[:12]}")
    except Exception as error:
        if getattr(error, "status_code", None) not in (404, 409):  # gone, or going
            raise


def _free_name(client: APIClient, order: Order) -> bool:
    """The name is taken. One of ours gives it up once it has ended; until then that is waited for.

    Raises:
        EngineRefusal: it is somebody else's.
    """
    name = order.execution.container_name
    other = _inspect_or_none(client, name)
    if other is None:
        return True  # it has gone meanwhile
    if other.labels.get(labels.KEY) == order.owner.key:
        if not other.is_running:
            _move_aside(client, other)
        return True
    raise EngineRefusal(409, f"the name '{name}' is taken by {_whose(other, name, order.owner)}")


def _whose(other: Seen, name: str, owner: labels.Owner) -> str:
    """Whose container it is, in words, and what helps."""
    removal = f"docker rm -f {name}"
    if labels.KEY in other.labels:
        component = other.labels.get(labels.COMPONENT, "?")
        return (
            f"the container of '{component}' of {labels.other_project_words(other.labels, owner)}; give this project "
            f"another name ('project: NAME'), set container_name, {labels.way_out_words(other.labels, owner, removal)}"
        )
    image = other.details.get("Config", {}).get("Image", "")
    return (
        f"a container of somebody else ({other.id[:12]}, image {image}); set container_name, or remove it ({removal})"
    )


def _check(client: APIClient, execution: ContainerExecution) -> None:
    """What an engine would ignore, or make up for, without a word."""
    version = tuple(int(part) for part in str(client.api_version).split("."))
    for mount in execution.mounts:
        if mount.subpath is not None and version < _SUBPATH_SINCE:
            raise EngineRefusal(400, f"the subpath of volume '{mount.source}' needs Docker Engine 26 or later")
        if mount.external and mount.source is not None:
            try:
                client.inspect_volume(mount.source)
            except Exception as error:
                if getattr(error, "status_code", None) != 404:
                    raise
                raise EngineRefusal(
                    404,
                    f"the external volume '{mount.source}' is not there; make it: docker volume create {mount.source}",
                ) from error


_EXEC = re.compile(r'exec: \\?"(?P<program>[^"\\]*)\\?": (?P<why>.*?)(?:: unknown)?$')
_PORT = re.compile(
    r"Bind for (?P<place>\S+) failed: port is already allocated|listen \w+ (?P<other>\S+): bind: address"
)


def refusal_words(message: str) -> str:
    """What an engine has said, without the layers of its own that it went through."""
    if found := _PORT.search(message):
        place = found["place"] or found["other"]
        return f"the port {place.removeprefix('0.0.0.0:')} is taken by something else on this machine"
    if found := _EXEC.search(message):
        return f"'{found['program']}' can't be executed in the image: {found['why']}"
    text = message.removesuffix(": unknown").strip()
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def log_size(path: str) -> int:
    """Bytes of a log as it stands."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
