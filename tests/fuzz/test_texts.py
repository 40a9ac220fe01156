"""Durations, sizes, variables and files of variables, each told against a plain reading of its rules."""

from __future__ import annotations

import io
import re
import time
from fractions import Fraction

import dotenv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.config.dotenv import parse_dotenv
from stigmer_pm.config.durations import parse_duration, parse_size
from stigmer_pm.config.errors import ConfigError
from stigmer_pm.config.interpolate import InterpolationError, interpolate
from stigmer_pm.config.problems import Problems
from tests.durations import format_duration

from .effort import examples
from .hostile import ENV_FILES
from .values import TEXTS

_UNITS: dict[str, Fraction | int] = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": Fraction(1, 1000)}
_LONGEST_S = 10_000 * 366 * 86400

NUMBERS = st.one_of(
    st.integers(0, 10**6).map(str),
    st.sampled_from(
        ["0", "00", "1.5", "0.001", "1.", ".5", "1e3", "-1", "+1", "9" * 15, "9" * 16, "0." + "0" * 9 + "1"]
    ),
)
QUANTITIES = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=10),
    st.lists(st.tuples(NUMBERS, st.sampled_from(["", *_UNITS, "M", " s", "w"])).map("".join), max_size=4).map("".join),
    st.tuples(NUMBERS, st.sampled_from(["", " "]), st.sampled_from(["b", "k", "KiB", "Mb", "GIB", "tb", "Ti"])).map(
        "".join
    ),
)


def _refusal(error: ValueError) -> str:
    words = str(error)
    assert words.startswith("expected ")
    assert len(words) < 200
    return words


def _plain_seconds(text: str) -> Fraction | None:
    """What the rules say, read word by word: numbers of 15 digits and 9 decimals at most, units from large to small."""
    number = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
    rest, units, total = text.strip(), list(_UNITS), Fraction(0)
    if re.fullmatch(number, rest):
        return Fraction(rest)
    while rest:
        found = re.match(rf"({number})(ms|[smhd])", rest)
        if found is None or found[2] not in units:
            return None
        units = units[units.index(found[2]) + 1 :]
        total += Fraction(found[1]) * _UNITS[found[2]]
        rest = rest[found.end() :]
    return total if text.strip() else None


@examples(400)
@given(text=QUANTITIES)
def test_a_text_is_a_duration_just_when_the_rules_say_so(text: str) -> None:
    """``1m30s``; all else is refused in words."""
    expected = _plain_seconds(text)
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        _refusal(error)
        assert expected is None or expected > _LONGEST_S
        return
    assert expected is not None
    assert seconds == float(expected)
    assert abs(parse_duration(format_duration(seconds)) - seconds) <= 0.0005 + seconds * 1e-12


@examples(400)
@given(text=QUANTITIES)
def test_a_text_is_a_size_just_when_the_rules_say_so(text: str) -> None:
    """``k`` is 1000, ``Ki`` is 1024; what is beyond 63 bits is refused."""
    found = re.fullmatch(r"([0-9]{1,30}(?:\.[0-9]{1,9})?)\s*(?:([kmgt])(i?)(b?)|(b?))", text.strip(), re.IGNORECASE)
    expected = None
    if found and not (found[3] and not found[4]):  # "Ki" alone is no unit
        base, power = (1024 if found[3] else 1000), " kmgt".index((found[2] or " ").lower())
        expected = int(Fraction(found[1]) * base**power)
    try:
        size = parse_size(text)
    except ValueError as error:
        _refusal(error)
        assert expected is None or expected >= 2**63 - 1
        return
    assert size == expected


# --- variables --------------------------------------------------------------------------------------------------

VARIABLES = {"A": "1", "B": "", "C": "${A}", "D": "}$$", "é": "x"}
TOKENS = st.sampled_from(
    ["$", "$$", "${", "}", "A", "B", "C", "D", "NO", ":", "-", "+", "?", ":-", ":+", ":?", "$A", "$NO", "${A}", "${B:-",
     "${NO-", "${A:+", "${B+", "${NO:?", " ", "x", "1", "é", "{", "$(", "\n"]
)  # fmt: skip


class _Missing(Exception):
    pass


def _plain_value(text: str) -> str:
    """What the rules say, read from left to right; each ``${`` looks for its own ``}``."""
    filled, at = "", 0
    while at < len(text):
        found = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(:?[-?+]|\}))").match(
            text, at
        )
        if found is None:
            filled, at = filled + text[at], at + 1
            continue
        dollar, bare, name, operator = found.groups()
        if dollar:
            filled, at = filled + "$", found.end()
        elif bare or operator == "}":
            if (bare or name) not in VARIABLES:
                raise _Missing
            filled, at = filled + VARIABLES[bare or name], found.end()
        elif (end := _end_of(text, at)) is None:
            filled, at = filled + "$", at + 1
        else:
            filled, at = filled + _plain_choice(name, operator, text[found.end() : end]), end + 1
    return filled


def _end_of(text: str, at: int) -> int | None:
    depth = 0
    for token in re.compile(r"\$\$|\$\{|\}").finditer(text, at):
        depth += {"$$": 0, "${": 1, "}": -1}[token[0]]
        if depth == 0 and token[0] == "}":
            return token.start()
    return None


def _plain_choice(name: str, operator: str, word: str) -> str:
    value = VARIABLES.get(name)
    is_there = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("+"):
        return _plain_value(word) if is_there else ""
    if is_there:
        return str(value)
    if operator.endswith("-"):
        return _plain_value(word)
    raise _Missing


@examples(600)
@given(tokens=st.lists(TOKENS, max_size=14))
def test_variables_are_filled_in_as_the_rules_say(tokens: list[str]) -> None:
    """As Compose has them; an unset one without a default is an error in words."""
    text = "".join(tokens)
    try:
        expected = _plain_value(text)
    except _Missing:
        with pytest.raises(InterpolationError, match=r"^(the variable '|variables are nested)"):
            interpolate(text, VARIABLES)
        return
    assert interpolate(text, VARIABLES) == expected


@pytest.mark.parametrize("piece", ["${A:-", "${NO:-", "$", "${", "}", "$A", "${A}", "${B:+", "$$", "${A:-}", "${NO:?"])
def test_no_text_of_variables_takes_the_square_of_its_length(piece: str) -> None:
    """A hundred thousand of each kind, and as many brackets to close them."""
    began = time.process_time()
    for text in (piece * 100_000, piece * 100_000 + "}" * 100_000):
        try:
            interpolate(text, VARIABLES)
        except InterpolationError:
            continue
    assert time.process_time() - began < 5


# --- files of variables -----------------------------------------------------------------------------------------


@examples(300)
@given(content=ENV_FILES)
def test_a_file_of_variables_is_read_as_dotenv_reads_it_or_refused_with_places(content: bytes) -> None:
    """python-dotenv is the measure, but for variables in values, which it takes from its own environment."""
    problems = Problems("/x/.env")
    try:
        found = parse_dotenv("/x/.env", content, {"A": "1"}, problems)
    except ConfigError:
        return
    told = problems.error().problems
    assert all(problem.line > 0 and problem.message.isprintable() for problem in told)
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    if not told and "${" not in text:
        assert found == dict(dotenv.dotenv_values(stream=io.StringIO(text), interpolate=False))


_ENV_PIECES = [
    "A=1\n",
    "A=${A}${A}\n",
    '"',
    "'",
    "\\",
    "\n",
    "A",
    "=",
    "#",
    "${",
    "${A:-",
    "A='",
    'A="\\',
    " #",
    "\r",
    "é",
]


@pytest.mark.parametrize("piece", _ENV_PIECES)
def test_no_file_of_variables_takes_the_square_of_its_length(piece: str) -> None:
    """Of a hundred kilobytes of each kind, alone and as a value."""
    began = time.process_time()
    for text in (piece * (100_000 // len(piece)), f"A={piece * (100_000 // len(piece))}"):
        try:
            parse_dotenv("/x/.env", text.encode(), {}, Problems("/x/.env"))
        except ConfigError:
            continue
    assert time.process_time() - began < 5
