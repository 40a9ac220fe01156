"""The types of what a probe connects to: ports, hosts, paths and headers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stigmer_pm.config.fields import JsonSchema, Reader, Text, found_words, scalar_of, typed, wrong
from stigmer_pm.config.nodes import Scalar
from stigmer_pm.config.yaml_scalars import resolve_plain

# IANA service names, as Kubernetes checks the names of ports.
_PORT_NAME = re.compile(r"(?=[a-z0-9-]{1,15}\Z)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_HEADER_NAME = re.compile(r"[-A-Za-z0-9]+", re.ASCII)


class PortOrName(Reader):
    """A port's number, or its name under ``ports`` (containers only)."""

    __slots__ = ()

    def read(self, value: object) -> int | str:
        """The number or name."""
        expected = "a port from 1 to 65535"
        scalar = scalar_of(value, expected)
        found = typed(scalar)
        if isinstance(found, str) and _PORT_NAME.fullmatch(found):
            return found
        if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= 65535:
            quoted = isinstance(found, str) and isinstance(resolve_plain(found), int)
            raise wrong(f"expected {expected}, found {found_words(scalar)}{'; remove the quotes' if quoted else ''}")
        return found

    def schema(self) -> JsonSchema:
        """A number, or a name."""
        number: JsonSchema = {"type": "integer", "minimum": 1, "maximum": 65535}
        return {"anyOf": [number, {"type": "string", "pattern": r"^[a-z0-9-]*[a-z][a-z0-9-]*$|\$"}]}


class UrlPath(Reader):
    """The path of a URL, with its query."""

    __slots__ = ()

    def read(self, value: object) -> str:
        """The path, which begins with a slash."""
        text = Text("a path such as /healthz", may_be_empty=True).read(value)
        if any(character <= " " or character == "\x7f" for character in text):
            raise wrong(f"expected a path without blanks and control characters, found {found_words(text)}")
        return text if text.startswith("/") else f"/{text}"

    def schema(self) -> JsonSchema:
        """A string."""
        return {"type": "string"}


class Host(Reader):
    """A host name or address."""

    __slots__ = ()

    def read(self, value: object) -> str:
        """The name, an IPv6 address without its brackets."""
        text = Text("a host name or address").read(value)
        if any(character <= " " or character in "/@?#" for character in text):
            raise wrong(f"expected a host name or address, found {found_words(text)}")
        return text.removeprefix("[").removesuffix("]")

    def schema(self) -> JsonSchema:
        """A string."""
        return {"type": "string", "minLength": 1}


Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HeaderList(Reader):
    """Headers of a request, in order: a list of ``{name, value}``, or (``may_be_mapping``) a mapping."""

    may_be_mapping: bool = True

    def read(self, value: object) -> Headers:
        """Names and values."""
        if value is None or (isinstance(value, Scalar) and value.value is None):
            return ()
        if isinstance(value, dict) and self.may_be_mapping:
            return tuple(_header((name,), name, item) for name, item in value.items())
        if isinstance(value, (list, tuple)) and not isinstance(value, Scalar):
            return tuple(self._item(index, item) for index, item in enumerate(value))
        mapping = "a mapping, or " if self.may_be_mapping else ""
        raise wrong(f"expected {mapping}a list of name and value, found {found_words(value)}")

    @staticmethod
    def _item(index: int, item: object) -> tuple[str, str]:
        if not isinstance(item, dict) or not item.keys() <= {"name", "value"} or "name" not in item:
            raise wrong("expected 'name' and 'value'", index)
        return _header((index, "name"), Text("the name of a header").read(item["name"]), item.get("value", ""))

    def schema(self) -> JsonSchema:
        """A list or mapping."""
        value: JsonSchema = {"type": ["string", "number", "boolean"]}
        properties: JsonSchema = {"name": {"type": "string"}, "value": value}
        item: JsonSchema = {
            "type": "object", "properties": properties, "required": ["name"], "additionalProperties": False
        }  # fmt: skip
        listed: JsonSchema = {"type": "array", "items": item}
        mapping: JsonSchema = {"type": "object", "additionalProperties": value}
        return {"anyOf": [mapping, listed]} if self.may_be_mapping else listed


def _header(path: tuple[str | int, ...], name: str, value: object) -> tuple[str, str]:
    if not _HEADER_NAME.fullmatch(name):
        raise wrong(f"expected the name of a header (letters, digits and '-'), found '{name:.60}'", *path)
    text = Text("the value of a header", takes_any=True, may_be_empty=True).read(value)
    if "\n" in text or "\r" in text:
        raise wrong("expected the value of a header in one line", *path)
    return name, text
