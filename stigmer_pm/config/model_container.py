"""What only containers have: published ports and networks, in Compose's short and long forms."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from stigmer_pm.config.block import Block
from stigmer_pm.config.field_container import Address, EngineName
from stigmer_pm.config.field_lists import Texts
from stigmer_pm.config.fields import Choice, JsonSchema, Reader, Text, found_words, scalar_of, typed, wrong
from stigmer_pm.config.nodes import Scalar

_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)
# [HOST:][PUBLISHED:]TARGET[/PROTOCOL]; an IPv6 address stands in brackets.
_SHORT_PORT = re.compile(
    r"(?:(?P<host_ip>\[[^\]]*\]|[^:\[\]]*):)??(?:(?P<published>[^:/]*):)?(?P<target>[^:/]+)(?:/(?P<protocol>\w+))?"
)
_PROTOCOLS = ("tcp", "udp", "sctp")


class PortRange(NamedTuple):
    """Ports from ``first`` to ``last``, both included."""

    first: int
    last: int


class Ports(Reader):
    """A port, or a range ``3000-3005``."""

    __slots__ = ()

    def read(self, value: object) -> PortRange:
        """The range; a single port is one of length 1."""
        expected = "a port from 1 to 65535, or a range such as 3000-3005"
        scalar = scalar_of(value, expected)
        found = _RANGE.fullmatch(scalar.text) if not isinstance(typed(scalar), (bool, float)) else None
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last <= 65535:
            raise wrong(f"expected {expected}, found {found_words(scalar)}")
        return PortRange(first, last)

    def schema(self) -> JsonSchema:
        """A number, or a string."""
        text: JsonSchema = {"type": "string", "pattern": r"^[0-9]+(-[0-9]+)?$|\$"}
        return {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, text]}


class PortBlock(Block):
    """A published port. The short form is `[HOST_IP:][PUBLISHED:]TARGET[/PROTOCOL]`, with IPv6 addresses in brackets.

    A range is published port by port on a range of the same length; one port, on any free one of a range.
    """

    expected: ClassVar[str] = "a port such as 8080:80, or a mapping"
    short_schema: ClassVar[JsonSchema | None] = {"type": ["string", "integer"]}

    target: Annotated[PortRange, Ports()] = Field(
        description="The port in the container, or a range.", examples=[80, "3000-3005"]
    )
    published: Annotated[PortRange | None, Ports()] = Field(
        None,
        description="The port on this machine, or a range; any free one when not given.",
        examples=[8080, "8080-8090"],
    )
    host_ip: Annotated[str | None, Address()] = Field(
        None, description="The address on this machine; all when not given.", examples=["127.0.0.1"]
    )
    protocol: Annotated[str | None, Choice(_PROTOCOLS, {word.upper(): word for word in _PROTOCOLS})] = Field(
        None, description="`tcp`, `udp` or `sctp`.", examples=["udp"], json_schema_extra={"default": "tcp"}
    )
    name: Annotated[str | None, Text("the name of a port")] = Field(
        None, description="A name that probes can use for the port.", examples=["web"]
    )
    mode: Annotated[str | None, Choice(("ingress", "host"), {})] = Field(
        None,
        description="Compose's; both words mean the same here, for there is one engine.",
        examples=["host"],
        json_schema_extra={"default": "ingress"},
    )
    app_protocol: Annotated[str | None, Text("the name of a protocol")] = Field(
        None, description="Compose's; a note that changes nothing.", examples=["http"]
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """``127.0.0.1:8080:80/udp``."""
        found = _SHORT_PORT.fullmatch(scalar.text)
        if not found:
            hint = "; an IPv6 address stands in brackets: [::1]:8080:80" if scalar.text.count(":") > 3 else ""
            raise wrong(f"expected {cls.expected}, found {found_words(scalar)}{hint}")
        return {key: value for key, value in found.groupdict().items() if value}


class NetworkBlock(Block):
    """How a container takes part in a network."""

    expected: ClassVar[str] = "a mapping with 'aliases'"

    aliases: Annotated[tuple[str, ...] | None, Texts(EngineName("another name"))] = Field(
        None, description="Further names that others on the network reach the container by.", examples=[["db"]]
    )
