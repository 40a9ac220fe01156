"""The types of values that are lists or mappings of single values, most with a short form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from stigmer_pm.config.fields import (
    FieldError,
    Findings,
    JsonSchema,
    Reader,
    Text,
    checked_text,
    found_words,
    scalar_of,
    wrong,
)
from stigmer_pm.config.nodes import Scalar
from stigmer_pm.config.words import split_words

_WORD = Text("a word", takes_any=True, may_be_empty=True)
_VALUE = Text("a single value", takes_any=True, may_be_empty=True)


class CommandText(NamedTuple):
    """A command as written: one string, or its words."""

    text: str | None
    words: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Command(Reader):
    """A string, or a list of words. ``may_be_empty``: an empty list takes the image's own away."""

    may_be_empty: bool = False

    def read(self, value: object) -> CommandText:
        """The command as it is written."""
        if isinstance(value, (list, tuple)) and not isinstance(value, Scalar):
            return CommandText(None, self._words(value))
        scalar = scalar_of(value, "a command, as a string or a list of words")
        if not scalar.text.strip():
            raise wrong("expected a command, found an empty one")
        return CommandText(checked_text(scalar.text), None)

    def _words(self, items: Iterable[object]) -> tuple[str, ...]:
        words = read_items(items, _WORD)
        if words and not words[0]:
            raise wrong("expected the name of a program, found an empty one", 0)
        if not words and not self.may_be_empty:
            raise wrong("expected a command, found an empty list")
        return words

    def schema(self) -> JsonSchema:
        """A string or a list."""
        return {
            "anyOf": [
                _WORD.schema(),
                {"type": "array", "items": _WORD.schema(), "minItems": int(not self.may_be_empty)},
            ]
        }


def split_command(text: str) -> tuple[str, ...]:
    """The words of a command, as a POSIX shell splits them. No shell will run it.

    Raises:
        FieldError: a quotation mark is not closed, or it has no words.
    """
    try:
        words = split_words(text)
    except ValueError as error:
        raise wrong(f"cannot split the command into words: {error}") from None
    if not words or not words[0]:
        raise wrong("expected a command that begins with a program, found none")
    return words


@dataclass(frozen=True, slots=True)
class Texts(Reader):
    """A list of strings, or one."""

    item: Text

    def read(self, value: object) -> tuple[str, ...]:
        """The strings."""
        if isinstance(value, (list, tuple)) and not isinstance(value, Scalar):
            return read_items(value, self.item)
        if value is None or (isinstance(value, Scalar) and value.value is None):
            return ()
        return (self.item.read(value),)

    def schema(self) -> JsonSchema:
        """A string or a list of them."""
        return {"anyOf": [self.item.schema(), {"type": "array", "items": self.item.schema()}]}


@dataclass(frozen=True, slots=True)
class Pairs(Reader):
    """A mapping of names to text, or a list of ``NAME=VALUE``. A null value is ``None`` where ``may_be_null``."""

    what: str
    may_be_null: bool = False

    def read(self, value: object) -> dict[str, str | None]:
        """The pairs, in order."""
        if value is None or (isinstance(value, Scalar) and value.value is None):
            return {}
        if isinstance(value, dict):
            return self._of_mapping(value)
        if isinstance(value, (list, tuple)) and not isinstance(value, Scalar):
            return self._of_list(value)
        raise wrong(f"expected a mapping, or a list of NAME=VALUE, found {found_words(value)}")

    def _of_mapping(self, value: dict[str, object]) -> dict[str, str | None]:
        pairs: dict[str, str | None] = {}
        findings = Findings()
        for name, item in value.items():
            try:
                self._check_name(name)
            except FieldError as error:
                findings.add(error, name, is_about_key=True)
            try:
                pairs[name] = self._value(item)
            except FieldError as error:
                findings.add(error, name)
        findings.raise_any()
        return pairs

    def _of_list(self, items: Iterable[object]) -> dict[str, str | None]:
        pairs: dict[str, str | None] = {}
        findings = Findings()
        for index, item in enumerate(items):
            try:
                text = checked_text(scalar_of(item, "NAME=VALUE").text)
                name, equals, rest = text.partition("=")
                self._check_name(name)
                if not equals and not self.may_be_null:
                    raise wrong(f"expected NAME=VALUE, found '{text:.60}'")
                if name in pairs:
                    raise wrong(f"'{name:.60}' stands here for the second time")
                pairs[name] = rest if equals else None
            except FieldError as error:
                findings.add(error, index)
        findings.raise_any()
        return pairs

    def _check_name(self, name: str) -> None:
        if not name:
            raise wrong(f"expected the name of {self.what}, found an empty one")
        if "=" in name or "\0" in name:
            raise wrong(f"expected the name of {self.what} without '=' or NUL, found '{name:.60}'")

    def _value(self, value: object) -> str | None:
        if self.may_be_null and (value is None or (isinstance(value, Scalar) and value.value is None)):
            return None
        return _VALUE.read(value)

    def schema(self) -> JsonSchema:
        """A mapping or a list."""
        kinds = ["string", "number", "boolean", *(["null"] if self.may_be_null else [])]
        listed = {"type": "string", "pattern": "^[^=]+" if self.may_be_null else "^[^=]+="}
        mapping = {"type": "object", "additionalProperties": {"type": kinds}, "propertyNames": {"pattern": "^[^=]+$"}}
        return {"anyOf": [mapping, {"type": "array", "items": listed}]}


def read_items(items: Iterable[object], item: Text) -> tuple[str, ...]:
    """Every item of a list, or all that is wrong with them.

    Raises:
        FieldError: an item is something else.
    """
    found: list[str] = []
    findings = Findings()
    for index, value in enumerate(items):
        try:
            found.append(item.read(value))
        except FieldError as error:
            findings.add(error, index)
    findings.raise_any()
    return tuple(found)
