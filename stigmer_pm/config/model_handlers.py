"""The handlers of probes: what is asked."""

from __future__ import annotations

from typing import Annotated, ClassVar
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from stigmer_pm.config.block import Block
from stigmer_pm.config.field_lists import Command, CommandText
from stigmer_pm.config.field_net import HeaderList, Headers, Host, PortOrName, UrlPath
from stigmer_pm.config.field_pattern import Pattern
from stigmer_pm.config.fields import Choice, JsonSchema, Text, Whole, wrong
from stigmer_pm.config.nodes import Scalar
from stigmer_pm.config.yaml_scalars import resolve_plain


class HttpHandler(Block):
    """GET a URL; an answer from 200 to 399 is a success."""

    expected: ClassVar[str] = "a mapping, or a URL such as http://127.0.0.1:8080/healthz"
    short_schema: ClassVar[JsonSchema | None] = {"type": "string", "pattern": r"^https?://|\$"}

    path: Annotated[str | None, UrlPath()] = Field(
        None, description="Path and query.", examples=["/healthz"], json_schema_extra={"default": "/"}
    )
    port: Annotated[int | str, PortOrName()] = Field(description="The port; for a container, its own.", examples=[8080])
    host: Annotated[str | None, Host()] = Field(
        None, description="Where to connect.", examples=["127.0.0.1"], json_schema_extra={"default": "127.0.0.1"}
    )
    scheme: Annotated[str | None, Choice(("http", "https"), {"HTTP": "http", "HTTPS": "https"})] = Field(
        None,
        description="`http`, or `https` (the certificate is not checked).",
        examples=["https"],
        json_schema_extra={"default": "http"},
    )
    headers: Annotated[Headers | None, HeaderList()] = Field(
        None,
        description="Headers of the request: a mapping, or a list of `{name, value}` when a name repeats.",
        examples=[{"Host": "example.test"}],
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """A URL."""
        url = _split_url(scalar.text)
        path = url.path + (f"?{url.query}" if url.query else "")
        port = url.port or (443 if url.scheme == "https" else 80)
        return {"scheme": url.scheme, "host": url.hostname, "port": port, "path": path or "/"}


def _split_url(text: str) -> SplitResult:
    expected = "expected a URL such as http://127.0.0.1:8080/healthz"
    try:
        url = urlsplit(text)
        is_good = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError as error:
        raise wrong(f"{expected}, found '{text:.60}' ({error})") from None
    if not is_good:
        raise wrong(f"{expected}, found '{text:.60}'; write {{port: 8080, path: /healthz}} for this machine")
    if url.username is not None:
        raise wrong(f"{expected} without a user; send the header 'Authorization' instead")
    return url


class KubernetesHttpHandler(Block):
    """`httpGet` as in a Pod."""

    path: Annotated[str | None, UrlPath()] = Field(None, description="Path and query.", examples=["/healthz"])
    port: Annotated[int | str, PortOrName()] = Field(description="The port.", examples=[8080])
    host: Annotated[str | None, Host()] = Field(None, description="Where to connect.", examples=["127.0.0.1"])
    scheme: Annotated[str | None, Choice(("HTTP", "HTTPS"), {})] = Field(
        None, description="`HTTP` or `HTTPS`, in capitals.", examples=["HTTPS"]
    )
    httpHeaders: Annotated[Headers | None, HeaderList(may_be_mapping=False)] = Field(
        None, description="A list of `{name, value}`.", examples=[[{"name": "Host", "value": "example.test"}]]
    )


class TcpHandler(Block):
    """A connect that succeeds is a success."""

    expected: ClassVar[str] = "a port, HOST:PORT or a mapping"
    short_schema: ClassVar[JsonSchema | None] = {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"type": "string"}]
    }

    port: Annotated[int | str, PortOrName()] = Field(description="The port; for a container, its own.", examples=[5432])
    host: Annotated[str | None, Host()] = Field(
        None, description="Where to connect.", examples=["127.0.0.1"], json_schema_extra={"default": "127.0.0.1"}
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """``PORT`` or ``HOST:PORT``."""
        host, colon, port = scalar.text.rpartition(":")
        if not colon or not isinstance(scalar.value, str):
            return {"port": scalar}
        return {"host": host, "port": resolve_plain(port)}


class ExecHandler(Block):
    """A command that exits with status 0 is a success."""

    expected: ClassVar[str] = "a command, or a mapping with 'command'"
    short_schema: ClassVar[JsonSchema | None] = Command().schema()

    command: Annotated[CommandText, Command()] = Field(
        description="The command, as a string or a list of words; no shell runs it.", examples=[["pg_isready", "-q"]]
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """A command."""
        return {"command": scalar}


class GrpcHandler(Block):
    """A server whose health service (`grpc.health.v1`) answers SERVING is a success; plain text only."""

    expected: ClassVar[str] = "a port or a mapping"
    short_schema: ClassVar[JsonSchema | None] = {"type": "integer", "minimum": 1, "maximum": 65535}

    port: Annotated[int, Whole(1, 65535)] = Field(description="The port.", examples=[50051])
    service: Annotated[str | None, Text("the name of a service", may_be_empty=True)] = Field(
        None, description="The service to ask for; without it, the server as a whole.", examples=["orders"]
    )
    host: Annotated[str | None, Host()] = Field(
        None, description="Where to connect.", examples=["127.0.0.1"], json_schema_extra={"default": "127.0.0.1"}
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """A port."""
        return {"port": scalar}


class LogHandler(Block):
    """A line of this run's log in which the pattern is found is a success, from then on."""

    expected: ClassVar[str] = "a pattern or a mapping"
    short_schema: ClassVar[JsonSchema | None] = {"type": "string"}

    pattern: Annotated[str, Pattern()] = Field(
        description="A regular expression (Python's), searched for in the first 8 KiB of each line.",
        examples=["listening on [0-9]+"],
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """A pattern."""
        return {"pattern": scalar}
