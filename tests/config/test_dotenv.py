"""Files of variables: what python-dotenv reads, and words for what it doesn't."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.config import ConfigError
from stigmer_pm.config.dotenv import parse_dotenv
from stigmer_pm.config.problems import Problems


def parse(content: str | bytes, known: dict[str, str] | None = None) -> dict[str, str | None]:
    """The variables.

    Raises:
        ConfigError: something is wrong in it.
    """
    problems = Problems("stigmer.yaml")
    found = parse_dotenv("e", content.encode() if isinstance(content, str) else content, known or {}, problems)
    problems.raise_any()
    return found


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", {}),
        ("\n\n# only a comment\n", {}),
        ("A=1", {"A": "1"}),
        ("A=1\nB=2\nA=3\n", {"A": "3", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1\n", {"A": "1"}),
        ("  export A = 1  \n", {"A": "1"}),
        ("A=\n", {"A": ""}),
        ("A\n", {"A": None}),
        ("A=a b # c\n", {"A": "a b"}),
        ("A=a#b\n", {"A": "a#b"}),
        ("A='a # b'\n", {"A": "a # b"}),
        ('A="a\\nb\\"" # c\n', {"A": 'a\nb"'}),
        ("A='a\\nb'\n", {"A": "a\\nb"}),
        ('A="two\nlines"\nB=1\n', {"A": "two\nlines", "B": "1"}),
        ("A=x=y\n", {"A": "x=y"}),
        ("A.b-c=1\n", {"A.b-c": "1"}),
        ("'A B'=1\n", {"A B": "1"}),
        ("ü=ü\n", {"ü": "ü"}),
        ("A=$B $(x) 100%\n", {"A": "$B $(x) 100%"}),
        ("A=${K}/x\n", {"A": "known/x"}),
        ("A=${NO:-d}${NO:-}\n", {"A": "d"}),
        ("A='${K}'\n", {"A": "${K}"}),
        ("A = '${K}'\n", {"A": "${K}"}),
        ('A="${K}"\n', {"A": "known"}),
        ("A=1\nB=${A}2\nC=${B}3\n", {"A": "1", "B": "12", "C": "123"}),
        ("K=own\nA=${K}\n", {"K": "own", "A": "known"}),
        ("E=\nA=${E:-d}\n", {"E": "", "A": "d"}),
        ("A=${unclosed\n", {"A": "${unclosed"}),
        ("A=${K}${unclosed\n", {"A": "known${unclosed"}),
        ("A=\u00a3{K}\n", {"A": "\u00a3{K}"}),
    ],
)
def test_the_usual_format_is_read(content: str, expected: dict[str, str | None]) -> None:
    """As python-dotenv and Docker Compose read it; ``${NAME}`` is the caller's, then that of a line above."""
    assert parse(content, {"K": "known"}) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("A=1\n\nfoo bar\n", "e:3:1: expected NAME=VALUE or a comment, found 7 characters that are neither"),
        ("A='x\nB=1\n", "e:1:1: expected NAME=VALUE or a comment, found 4 characters that are neither"),
        ("=x\n", "e:1:1: expected NAME=VALUE or a comment, found 2 characters that are neither"),
        ("''=x\n", "e:1:1: expected NAME=VALUE or a comment, found 4 characters that are neither"),
        ("'A=secret'=x\n", "e:1:1: expected NAME=VALUE, found a name with '=' in it; put quotation marks around the…"),
        ("'A=secret'\n", "e:1:1: expected NAME=VALUE, found a name with '=' in it; put quotation marks around the…"),
        ("A=1\n----\n", "e:2:1: expected NAME=VALUE or a comment, found 4 characters that are neither"),
        (
            "\n\nA=${NO}\n",
            "e:3:1: the variable 'NO' is not set; set it, give it a default (${NAME:-value}), or put the value in "
            "single quotes",
        ),
        ("A=${A}\n", "e:1:1: the variable 'A' is not set; set it, give it a default (${NAME:-value}), or put the…"),
        ("A=${NO-d}\n", "e:1:1: the variable 'NO-d' is not set; set it, give it a default (${NAME:-value}), or put…"),
        (f"A=1\nB={'x ' * (1 << 19)}\n", "e: cannot read the file: it is larger than 1 MiB"),
        (f"A=1\nB=x{' ' * 300}# y\n", "e:2:4: cannot read the file: expected at most 200 blanks in a row, found 300"),
    ],
)
def test_what_can_not_be_read_is_told_at_its_line(content: str, expected: str) -> None:
    """Without showing a value, for it may be secret."""
    with pytest.raises(ConfigError) as caught:
        parse(content)
    assert len(caught.value.problems) == 1
    found = str(caught.value)
    assert found.startswith(expected[:-1]) if expected.endswith("…") else found == expected


def test_every_bad_line_is_told_and_the_good_ones_are_read() -> None:
    """All at once."""
    problems = Problems("stigmer.yaml")
    assert parse_dotenv("e", b"?? 1\nA=1\n?? 2\nB=${A}\n", {}, problems) == {"A": "1", "B": "1"}
    assert [(p.file, p.line) for p in problems.error().problems] == [("e", 1), ("e", 3)]


def test_lines_that_double_a_value_end_in_an_error_and_not_in_the_memory() -> None:
    """The "billion laughs" of this format: forty lines of ``A2=${A1}${A1}``."""
    text = "A0=xxxxxxxxxx\n" + "".join(f"A{i}=${{A{i - 1}}}${{A{i - 1}}}\n" for i in range(1, 40))
    with pytest.raises(ConfigError, match=r"e:\d\d:1: the values of the file are longer than 8 MiB") as caught:
        parse(text)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("text", ["A=" + "${" * 20_000, "A=" + "${" * 20_000 + ":x}", "A=" + "${a:-" * 20_000])
def test_brackets_that_are_never_closed_take_no_time(text: str) -> None:
    """A linear search; the test's own time is the promise."""
    assert list(parse(text, {"a": "b"})) == ["A"]


@given(st.one_of(st.text(), st.text(alphabet="AB=${}:-'\"\\ \t\n\r#export\x85", max_size=80)))
def test_any_text_is_variables_or_a_config_error(text: str) -> None:
    """No other exception; names can be given to a process, and values are text."""
    try:
        found = parse(text, {"A": "1"})
    except ConfigError:
        return
    assert all(name and "=" not in name and "\0" not in name for name in found)
    assert all(value is None or "\0" not in value for value in found.values())


@given(st.binary())
def test_any_bytes_are_variables_or_a_config_error(content: bytes) -> None:
    """No other exception."""
    with contextlib.suppress(ConfigError):
        parse(content)


@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), st.text(max_size=20), max_size=4))
def test_values_in_single_quotes_arrive_as_they_are(variables: dict[str, str]) -> None:
    """Whatever text can stand in a file at all."""
    good = {n: v for n, v in variables.items() if v.isprintable() and not set(v) & set("'\\")}
    assert parse("".join(f"{name}='{value}'\n" for name, value in good.items())) == good
