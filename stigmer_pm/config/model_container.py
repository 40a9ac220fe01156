"""What only containers have: published ports and volumes, in Compose's short and long forms."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from stigmer_pm.config.block import Block
from stigmer_pm.config.field_net import Host
from stigmer_pm.config.fields import Choice, Flag, JsonSchema, Reader, Text, found_words, scalar_of, typed, wrong
from stigmer_pm.config.nodes import Scalar

_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)
# [HOST:][PUBLISHED:]TARGET[/PROTOCOL]; an IPv6 address stands in brackets.
_SHORT_PORT = re.compile(
    r"(?:(?P<host_ip>\[[^\]]*\]|[^:\[\]]*):)??(?:(?P<published>[^:/]*):)?(?P<target>[^:/]+)(?:/(?P<protocol>\w+))?"
)


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
    """A published port. The short form is `[HOST_IP:][PUBLISHED:]TARGET[/PROTOCOL]`."""

    expected: ClassVar[str] = "a port such as 8080:80, or a mapping"
    short_schema: ClassVar[JsonSchema | None] = {"type": ["string", "integer"]}

    target: Annotated[PortRange, Ports()] = Field(description="The port in the container.", examples=[80])
    published: Annotated[PortRange | None, Ports()] = Field(
        None, description="The port on this machine; any free one when not given.", examples=[8080]
    )
    host_ip: Annotated[str | None, Host()] = Field(
        None, description="The address on this machine; all when not given.", examples=["127.0.0.1"]
    )
    protocol: Annotated[str | None, Choice(("tcp", "udp", "sctp"), {})] = Field(
        None, description="`tcp`, `udp` or `sctp`.", examples=["udp"], json_schema_extra={"default": "tcp"}
    )
    name: Annotated[str | None, Text("the name of a port")] = Field(
        None, description="A name that probes can use for the port.", examples=["web"]
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """``127.0.0.1:8080:80/udp``."""
        found = _SHORT_PORT.fullmatch(scalar.text)
        if not found:
            raise wrong(f"expected {cls.expected}, found {found_words(scalar)}")
        return {key: value for key, value in found.groupdict().items() if value}


class MountBlock(Block):
    """A volume. The short form is `[SOURCE:]TARGET[:ro]`."""

    expected: ClassVar[str] = "a volume such as ./data:/data, or a mapping"
    short_schema: ClassVar[JsonSchema | None] = {"type": "string", "minLength": 1}

    type: Annotated[str | None, Choice(("bind", "volume", "tmpfs"), {})] = Field(
        None,
        description="A folder or file of this machine, a volume of the engine, or memory.",
        examples=["bind"],
        json_schema_extra={"default": "volume"},
    )
    source: Annotated[str | None, Text("a path or the name of a volume")] = Field(
        None, description="The path on this machine, or the name of the volume.", examples=["./data"]
    )
    target: Annotated[str, Text("a path in the container")] = Field(
        description="The absolute path in the container.", examples=["/var/lib/data"]
    )
    read_only: Annotated[bool | None, Flag()] = Field(
        None,
        description="The container can't write to it.",
        examples=[True],
        json_schema_extra={"default": False},
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """``./data:/data:ro``."""
        parts = scalar.text.split(":")
        if len(parts) > 3 or not all(parts):
            raise wrong(f"expected {cls.expected}, found {found_words(scalar)}")
        if len(parts) == 1:
            return {"type": "volume", "target": parts[0]}
        mode = parts[2] if len(parts) == 3 else "rw"
        if mode not in ("ro", "rw"):
            raise wrong(f"expected ro or rw at the end of the volume, found '{mode:.60}'")
        kind = "bind" if parts[0][0] in "./~" else "volume"
        return {"type": kind, "source": parts[0], "target": parts[1], "read_only": mode == "ro"}
