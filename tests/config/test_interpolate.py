"""Variables in values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.config.interpolate import InterpolationError, interpolate

VARIABLES = {"A": "1", "B": "two words", "EMPTY": "", "DOLLAR": "$A", "_x9": "y"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$A", "1"),
        ("${A}", "1"),
        ("x${A}y$A-z", "x1y1-z"),
        ("$_x9", "y"),
        ("${EMPTY}", ""),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${NO:-d}", "d"),
        ("${NO-d}", "d"),
        ("${NO:-}", ""),
        ("${A:-d}", "1"),
        ("${A:+alt}", "alt"),
        ("${EMPTY:+alt}", ""),
        ("${EMPTY+alt}", "alt"),
        ("${NO+alt}", ""),
        ("${A:?must}", "1"),
        ("${EMPTY?must}", ""),
        ("${NO:-${ALSO_NO:-${A}}}", "1"),
        ("${NO:-a${A}b}c", "a1bc"),
        ("${A:-${NEVER_LOOKED_AT}}", "1"),
        ("$$", "$"),
        ("$$A", "$A"),
        ("$$$A", "$1"),
        ("${NO:-$$x}", "$x"),
        ("$DOLLAR", "$A"),
        ("$(date) $1 $? $ $- 5$", "$(date) $1 $? $ $- 5$"),
        ("${}", "${}"),
        ("${1}", "${1}"),
        ("${A%.txt} ${#A} ${A", "${A%.txt} ${#A} ${A"),
        ("${A:-unclosed", "${A:-unclosed"),
        ("${ A}", "${ A}"),
        ("100% #hash 'q' \"d\" \n ü", "100% #hash 'q' \"d\" \n ü"),
    ],
)
def test_the_forms_of_compose_are_filled_in_and_everything_else_stays(text: str, result: str) -> None:
    """config.md: "a `$` that begins none of these stays"."""
    assert interpolate(text, VARIABLES) == result


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$NO", "the variable 'NO' is not set; set it, give it a default"),
        ("${NO}", "${NO:-value}"),
        ("${NO}", "$$NO"),
        ("${NO:?say why}", "the variable 'NO' is not set, and is required: say why"),
        ("${EMPTY:?say ${A}}", "the variable 'EMPTY' is empty, and is required: say 1"),
        ("${NO?}", "the variable 'NO' is not set, and is required"),
        ("${NO:-${ALSO_NO}}", "'ALSO_NO'"),
    ],
)
def test_an_unset_variable_is_an_error_that_names_it(text: str, words: str) -> None:
    """config.md: "An unset variable without a default is an error that names it"."""
    with pytest.raises(InterpolationError) as caught:
        interpolate(text, VARIABLES)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["${A:-" * 1000 + "}" * 1000, "${NO:-" * 100_000])
def test_defaults_that_are_not_needed_may_be_nested_at_will(text: str) -> None:
    """A variable that is set hides what is nested in it, and what is never closed is no variable: a value, at once."""
    assert interpolate(text, VARIABLES) in (VARIABLES["A"], text)


def test_deep_nesting_ends_in_an_error_and_not_in_the_stack() -> None:
    """Said in words, at once."""
    with pytest.raises(InterpolationError, match="nested"):
        interpolate("${NO:-" * 1000 + "x" + "}" * 1000, VARIABLES)


@given(st.text(alphabet="$${}:-+?AB \\x", max_size=60))
def test_any_text_is_filled_in_or_an_interpolation_error(text: str) -> None:
    """No other exception; a text without a dollar sign stays as it is."""
    try:
        result = interpolate(text, VARIABLES)
    except InterpolationError:
        return
    assert "$" in text or result == text


@given(st.text())
def test_escaped_text_arrives_as_written(text: str) -> None:
    """``$$`` is a dollar sign, whatever follows."""
    assert interpolate(text.replace("$", "$$"), {}) == text
