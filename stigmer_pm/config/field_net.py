"""The types of what a probe connects to: ports, hosts, paths and headers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stigmer_pm.config.errors import Path
from stigmer_pm.config.fields import (
    FieldError,
    Findings,
    JsonSchema,
    Reader,
    Text,
    found_words,
    scalar_of,
    typed,
    wrong,
)
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
        findings = Findings()
        if isinstance(value, dict) and self.may_be_mapping:
            found = [_header(findings, name, item, (name,), (name,)) for name, item in value.items()]
        elif isinstance(value, (list, tuple)) and not isinstance(value, Scalar):
            found = [_item(findings, index, item) for index, item in enumerate(value)]
        else:
            mapping = "a mapping, or " if self.may_be_mapping else ""
            raise wrong(f"expected {mapping}a list of name and value, found {found_words(value)}")
        findings.raise_any()
        return tuple(found)

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


def _item(findings: Findings, index: int, item: object) -> tuple[str, str]:
    """A header of a list. What is wrong is noted; the result is then of no use."""
    if not isinstance(item, dict) or not item.keys() <= {"name", "value"} or "name" not in item:
        keys = ", ".join(f"'{key:.60}'" for key in item) if isinstance(item, dict) else ""
        words = f"a mapping with {keys}" if keys else found_words(item)
        findings.add(wrong(f"expected 'name' and 'value', found {words}"), index)
        return "", ""
    return _header(findings, item["name"], item.get("value", ""), (index, "name"), (index, "value"))


def _header(findings: Findings, name: object, value: object, name_at: Path, value_at: Path) -> tuple[str, str]:
    """A header. What is wrong is noted; the result is then of no use. In a mapping, the name is the value's key."""
    header = text = ""
    try:
        header = Text("the name of a header").read(name)
        if not _HEADER_NAME.fullmatch(header):
            raise wrong(f"expected the name of a header (letters, digits and '-'), found {found_words(header)}")
    except FieldError as error:
        findings.add(error, *name_at, is_about_key=name_at == value_at)
    try:
        text = Text("the value of a header", takes_any=True, may_be_empty=True).read(value)
        if "\n" in text or "\r" in text:
            raise wrong(f"expected the value of a header in one line, found {found_words(text)}")
    except FieldError as error:
        findings.add(error, *value_at)
    return header, text
