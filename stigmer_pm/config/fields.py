"""The types of single values: each reads a value as its field means it, and knows its JSON Schema.

A reader takes what the document holds (:class:`Scalar`, dictionaries and lists of them) and plain Python values alike.
It raises :class:`FieldError`, whose message says what was expected and what was found.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from stigmer_pm.config.errors import Path, printable
from stigmer_pm.config.nodes import Scalar
from stigmer_pm.config.yaml_scalars import resolve_plain

JsonSchema: TypeAlias = dict[str, object]

# Things wrong with one value that are told. A list of thousands that are all wrong is wrong for one reason.
_MOST_FINDINGS = 200

#: What may stand for any number or truth value: a string with a variable in it.
INTERPOLATED: JsonSchema = {"type": "string", "pattern": r"\$"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a value; ``path`` leads from the field to the place."""

    message: str
    path: Path = ()
    is_about_key: bool = False


class FieldError(ValueError):
    """A value is not what its field takes. Without findings: what is wrong with it has been said already."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        # pydantic reads the words as UTF-8, which stray bytes of the environment are not.
        super().__init__(printable("; ".join(finding.message for finding in findings)))


def wrong(message: str, *path: str | int) -> FieldError:
    """The error for one finding."""
    return FieldError(Finding(message, path))


class Findings:
    """Collects what is wrong with the parts of one value, so that all of it is told."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self._is_wrong = False

    def add(self, error: FieldError, *path: str | int, is_about_key: bool = False) -> None:
        """Note what is wrong with the part at ``path``.

        Raises:
            FieldError: so much is wrong with the value that the rest of it is not looked at.
        """
        self._is_wrong = True
        self._found += [
            Finding(finding.message, (*path, *finding.path), is_about_key or finding.is_about_key)
            for finding in error.findings
        ]
        if len(self._found) >= _MOST_FINDINGS:
            self.raise_any()

    def raise_any(self) -> None:
        """Raise what was noted, if anything was.

        Raises:
            FieldError: something is wrong; without findings when all of it has been said already.
        """
        if self._is_wrong:
            raise FieldError(*self._found)


class Reader(ABC):
    """The base of all types of single values, for use in ``Annotated``."""

    __slots__ = ()

    @abstractmethod
    def read(self, value: object) -> object:
        """The value as its field means it.

        Raises:
            FieldError: it is something else.
        """

    @abstractmethod
    def schema(self) -> JsonSchema:
        """What an editor is told."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return self.schema()


def scalar_of(value: object, expected: str) -> Scalar:
    """``value`` as a scalar that has a value.

    Raises:
        FieldError: it is a mapping, a list or null.
    """
    if not isinstance(value, Scalar):
        if value is not None and not isinstance(value, (str, int, float)):
            raise wrong(f"expected {expected}, found {found_words(value)}")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        value = Scalar("" if value is None else text, value, 0, 0)
    if value.is_unfilled:
        raise FieldError()
    if value.value is None:
        raise wrong(f"expected {expected}, found nothing")
    return value


def typed(scalar: Scalar) -> object:
    """The value of a scalar whose field is no text: one that a variable went into is read anew."""
    return resolve_plain(scalar.text.strip()) if scalar.is_interpolated else scalar.value


def found_words(value: object) -> str:
    """What stands there, for a message."""
    if isinstance(value, Scalar):
        value = value.value
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    text = str(value)
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"


def checked_text(text: str) -> str:
    """``text``, which the kernel must be able to take.

    Raises:
        FieldError: it has a NUL in it.
    """
    if "\0" in text:
        raise wrong("expected text without the character NUL (\\0), which ends every text for the kernel")
    return text


@dataclass(frozen=True, slots=True)
class Text(Reader):
    """A string. With ``takes_any``, numbers and truth values are taken as they are written (``command: true``)."""

    expected: str = "text"
    takes_any: bool = False
    may_be_empty: bool = False

    def read(self, value: object) -> str:
        """The text."""
        scalar = scalar_of(value, self.expected)
        if not (self.takes_any or isinstance(scalar.value, str)):
            raise wrong(f"expected {self.expected}, found {found_words(scalar)}; put it in quotes if it is meant")
        if not scalar.text and not self.may_be_empty:
            raise wrong(f"expected {self.expected}, found an empty one")
        return checked_text(scalar.text)

    def schema(self) -> JsonSchema:
        """A string."""
        kind: object = ["string", "number", "boolean"] if self.takes_any else "string"
        return {"type": kind} if self.may_be_empty or self.takes_any else {"type": kind, "minLength": 1}


@dataclass(frozen=True, slots=True)
class Flag(Reader):
    """``true`` or ``false``."""

    def read(self, value: object) -> bool:
        """The truth value."""
        scalar = scalar_of(value, "true or false")
        found = typed(scalar)
        if not isinstance(found, bool):
            word = scalar.text.lower()
            meant = "true" if word in ("yes", "on") else "false" if word in ("no", "off") else ""
            hint = f"; write {meant}" if meant else ""
            raise wrong(f"expected true or false, found {found_words(scalar)}{hint}")
        return found

    def schema(self) -> JsonSchema:
        """A boolean."""
        return {"anyOf": [{"type": "boolean"}, INTERPOLATED]}


@dataclass(frozen=True, slots=True)
class Whole(Reader):
    """An integer between two bounds. ``words`` are strings that mean something else, with what they are read as."""

    minimum: int
    maximum: int | None = None
    words: Mapping[str, int] | None = None

    def read(self, value: object) -> int:
        """The number."""
        scalar = scalar_of(value, self.expected)
        found = typed(scalar)
        if isinstance(found, str) and self.words and found in self.words:
            return self.words[found]
        if isinstance(found, bool) or not isinstance(found, int):
            quoted = isinstance(found, str) and isinstance(resolve_plain(found), int) and not isinstance(found, bool)
            hint = "; remove the quotes" if quoted and not scalar.is_interpolated else ""
            raise wrong(f"expected {self.expected}, found {found_words(scalar)}{hint}")
        if found < self.minimum or (self.maximum is not None and found > self.maximum):
            raise wrong(f"expected {self.expected}, found {found}")
        return found

    @property
    def expected(self) -> str:
        """In words."""
        bounds = f"of {self.minimum} or more" if self.maximum is None else f"from {self.minimum} to {self.maximum}"
        return f"a whole number {bounds}" + "".join(f" or '{word}'" for word in self.words or ())

    def schema(self) -> JsonSchema:
        """An integer."""
        number: JsonSchema = {"type": "integer", "minimum": self.minimum}
        if self.maximum is not None:
            number["maximum"] = self.maximum
        words: list[JsonSchema] = [{"enum": list(self.words)}] if self.words else []
        return {"anyOf": [number, *words, INTERPOLATED]}


@dataclass(frozen=True, slots=True)
class Number(Reader):
    """A number between two bounds."""

    minimum: float
    maximum: float | None = None

    def read(self, value: object) -> float:
        """The number."""
        limit = "" if self.maximum is None else f" and {self.maximum:g} at most"
        expected = f"a number of {self.minimum:g} or more{limit}"
        scalar = scalar_of(value, expected)
        found = typed(scalar)
        is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
        # 1e300 stands for "no bound" as well, and keeps infinities and not-a-number out of all that is computed.
        largest = 1e300 if self.maximum is None else self.maximum
        if not is_number or not isinstance(found, (int, float)) or not self.minimum <= found <= largest:
            raise wrong(f"expected {expected}, found {found_words(scalar)}")
        return float(found)

    def schema(self) -> JsonSchema:
        """A number."""
        number: JsonSchema = {"type": "number", "minimum": self.minimum}
        if self.maximum is not None:
            number["maximum"] = self.maximum
        return {"anyOf": [number, INTERPOLATED]}


@dataclass(frozen=True, slots=True)
class Choice(Reader):
    """One of some words. ``others`` are accepted too, and mean one of them."""

    words: tuple[str, ...]
    others: Mapping[str, str]

    def read(self, value: object) -> str:
        """The word, as ``words`` has it."""
        from stigmer_pm.config.suggestions import did_you_mean  # difflib is needed for an error only

        expected = " or ".join((", ".join(self.words[:-1]), self.words[-1])) if len(self.words) > 1 else self.words[0]
        scalar = scalar_of(value, expected)
        word = self.others.get(scalar.text, scalar.text)
        if word not in self.words:
            hint = did_you_mean(scalar.text, self.words)
            raise wrong(f"expected {expected}, found {found_words(scalar)}{hint}")
        return word

    def schema(self) -> JsonSchema:
        """An enumeration."""
        return {"anyOf": [{"enum": [*self.words, *self.others]}, INTERPOLATED]}


@dataclass(frozen=True, slots=True)
class Later:
    """A field whose behaviour is still to come: it is checked like any other, and then refused.

    ``instead`` says what to do; ``allowed`` is the one value that already says what is so.
    """

    instead: str
    allowed: Callable[[object], bool] | None = None

    def refuse(self, value: object) -> object:
        """Refuse it."""
        if self.allowed is not None and self.allowed(value):
            return value
        raise FieldError(Finding(f"not supported yet; {self.instead}", (), True))

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.refuse, handler(source))
