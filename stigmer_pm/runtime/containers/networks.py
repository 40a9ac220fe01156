"""The networks of a project: found when they are there, made when they are not, and removed by ``down``.

``networks: [backend]`` is the project's own network PROJECT-backend, unless only one called ``backend`` is there
already: that is somebody else's, and is joined. Without ``networks``, it is the project's own PROJECT-default. In
both, other containers reach this one by the name of its component (Compose's rule).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stigmer_pm.runtime.containers import labels
from stigmer_pm.runtime.containers.labels import Owner
from stigmer_pm.runtime.containers.trouble import EngineRefusal
from stigmer_pm.spec import ContainerExecution, Network

if TYPE_CHECKING:
    from docker import APIClient

#: What every engine has from the beginning, and where containers have no names.
_MODES = ("host", "none", "bridge")


@dataclass(frozen=True, slots=True)
class Joined:
    """A network as its engine calls it, and the names that a container has there."""

    name: str
    aliases: tuple[str, ...] = ()


def find_or_make(client: APIClient, owner: Owner, component: str, execution: ContainerExecution) -> list[Joined]:
    """The networks that a container joins, all of which are there afterwards."""
    wanted = execution.networks or (Network("default"),)
    if wanted[0].name in _MODES:
        return [Joined(wanted[0].name), *(_join(client, owner, component, execution, n) for n in wanted[1:])]
    return [_join(client, owner, component, execution, network) for network in wanted]


def endpoint_config(client: APIClient, network: Joined) -> Any:
    """How a container joins its first network; ``None`` for one that has no names."""
    if network.name in _MODES:
        return None
    endpoints: Any = {network.name: client.create_endpoint_config(aliases=list(network.aliases))}
    return client.create_networking_config(endpoints)


def remove_all(client: APIClient, key: str) -> None:
    """Remove the networks that were made for the project."""
    for network in client.networks(filters={"label": f"{labels.KEY}={key}"}):
        client.remove_network(network["Id"])


def _refuse_other_project(network: dict[str, Any], owner: Owner) -> None:
    """Two projects of one name would answer to each other's names there. One that somebody has made by hand is joined.

    Raises:
        EngineRefusal: it is another project's.
    """
    found, name = network.get("Labels") or {}, network["Name"]
    if found.get(labels.KEY, owner.key) == owner.key:
        return
    raise EngineRefusal(
        409,
        f"the network '{name}' belongs to {labels.other_project_words(found, owner)}; give this one another name "
        f"('project: NAME'), {labels.way_out_words(found, owner, f'docker network rm {name}')}",
    )


def _join(client: APIClient, owner: Owner, component: str, execution: ContainerExecution, network: Network) -> Joined:
    if network.name in _MODES:
        return Joined(network.name)
    aliases = tuple(dict.fromkeys((component, *network.aliases)))
    own = f"{execution.project}-{network.name}"
    found = {str(n["Name"]): n for n in client.networks(names=[own, network.name])}
    if own in found:
        _refuse_other_project(found[own], owner)
        return Joined(own, aliases)
    if network.name in found and network.name != "default":
        return Joined(network.name, aliases)
    marks = labels.project_labels(owner, execution.project)
    client.create_network(own, driver="bridge", check_duplicate=True, labels=marks)
    return Joined(own, aliases)
