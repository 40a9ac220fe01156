"""The variables that the file names for a component: ``environment`` over ``env_file``, values byte for byte."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from .conftest import Folder


def environment_of(folder: Folder, fields: str, environ: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The variables of the one component."""
    process = folder.component(f"command: x, {fields}", environ).process
    assert process is not None
    return process.environment


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{A: 1, B: two}", {"A": "1", "B": "two"}),
        ("[A=1, B=two words, C=a=b, D=]", {"A": "1", "B": "two words", "C": "a=b", "D": ""}),
        ("{A: 010, B: 1.10, C: true, D: no, E: 0x1F, F: 1e3, G: 22:22}",
         {"A": "010", "B": "1.10", "C": "true", "D": "no", "E": "0x1F", "F": "1e3", "G": "22:22"}),
        ("{A: '', B: ' x '}", {"A": "", "B": " x "}),
        ('{A: "a\\nb\\tc", B: "\\u00fc€"}', {"A": "a\nb\tc", "B": "ü€"}),
        ("{A.b-c: 1, 'ü x': 2}", {"A.b-c": "1", "ü x": "2"}),
        ("{}", {}),
        ("[]", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_variables_arrive_as_they_are_written(folder: Folder, written: str, expected: dict[str, str]) -> None:
    """config.md: "mapping, or list of `K=V`"; a number keeps its spelling."""
    assert environment_of(folder, f"environment: {written}") == expected


@pytest.mark.parametrize("written", ["{A: , B: ~, C: null}", "[A, B, C]"])
def test_a_null_value_passes_the_callers_variable_on(folder: Folder, written: str) -> None:
    """config.md: "a null value passes the invoker's variable on"; without one there it isn't set."""
    assert environment_of(folder, f"environment: {written}", {"A": "1", "B": ""}) == {"A": "1", "B": ""}


def test_what_is_passed_on_comes_from_the_caller_and_not_from_the_env_file_of_the_project(folder: Folder) -> None:
    """``.env`` is for ``${VAR}``."""
    folder.write("A=dotenv\n", ".env")
    assert environment_of(folder, "environment: {A: , B: $A}") == {"B": "dotenv"}


def test_only_what_the_file_names_is_in_the_spec(folder: Folder) -> None:
    """config.md: "Only what the file names is compared with what is applied"."""
    assert environment_of(folder, "environment: {A: 1}", {"HOME": "/h", "PATH": "/bin"}) == {"A": "1"}


def test_environment_wins_over_env_file_and_a_later_file_over_an_earlier_one(folder: Folder) -> None:
    """config.md: "dotenv format; `environment` wins over it"."""
    folder.write("A=1\nB=1\nC=1\n", "one.env")
    folder.write("B=2\nC=2\n", "two.env")
    assert environment_of(folder, "env_file: [one.env, two.env], environment: {C: 3}") == {"A": "1", "B": "2", "C": "3"}
    assert environment_of(folder, "env_file: one.env") == {"A": "1", "B": "1", "C": "1"}


def test_a_null_value_wins_over_the_file_as_well(folder: Folder) -> None:
    """The caller's variable is asked for, and nothing stands in for it."""
    folder.write("A=file\nB=file\n", "e.env")
    assert environment_of(folder, "env_file: e.env, environment: {A: , B: }", {"A": "caller"}) == {"A": "caller"}


def test_a_name_alone_in_an_env_file_passes_the_callers_variable_on(folder: Folder) -> None:
    """As in ``environment``."""
    folder.write("A\nexport B\nC=1\n", "e.env")
    assert environment_of(folder, "env_file: e.env", {"A": "1"}) == {"A": "1", "C": "1"}


def test_variables_in_an_env_file_are_those_of_the_stigmer_yaml_and_of_its_own_lines(folder: Folder) -> None:
    """The caller's, those of the lines above, and those of ``.env``, in this order."""
    folder.write("D=dotenv\nOWN=dotenv\n", ".env")
    folder.write("A=${D}-${CALLER}-${NO:-default}\nB=${A}!\nC='${A}'\nOWN=own\nE=${OWN}\n", "e.env")
    assert environment_of(folder, "env_file: e.env", {"CALLER": "me"}) == {
        "A": "dotenv-me-default", "B": "dotenv-me-default!", "C": "${A}", "OWN": "own", "E": "own"
    }  # fmt: skip
    assert environment_of(folder, "env_file: e.env", {"CALLER": "me", "OWN": "caller"})["E"] == "caller"


def test_the_path_of_an_env_file_may_hold_variables_and_start_at_home(folder: Folder) -> None:
    """Like every path."""
    folder.write("A=1\n", "home/e.env")
    environ = {"HOME": str(folder.path / "home"), "NAME": "e"}
    assert environment_of(folder, "env_file: ~/$NAME.env", environ) == {"A": "1"}


def test_a_value_that_is_no_utf_8_arrives_byte_for_byte(folder: Folder) -> None:
    """The operating system's bytes come as surrogates, and leave as they came."""
    environ = {"A": b"caf\xe9".decode("utf-8", "surrogateescape")}
    assert environment_of(folder, "environment: {A: , B: $A}", environ) == {"A": environ["A"], "B": environ["A"]}


def test_what_is_wrong_in_an_env_file_is_told_at_its_own_line(folder: Folder) -> None:
    """And once, however many components use it; what it says is not shown, for it may be secret."""
    folder.write("A=1\n\nsome secret words\nB=${NOT_SET}\n", "e.env")
    found = folder.problems("components: {a: {command: x, env_file: e.env}, b: {command: x, env_file: e.env}}\n")
    assert found == [
        "e.env:3:1: expected NAME=VALUE or a comment, found 17 characters that are neither",
        "e.env:4:1: the variable 'NOT_SET' is not set; set it, give it a default (${NAME:-value}), or put the value in "
        "single quotes",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"A=\xff\n", "e.env:1:3: cannot read the file: it is not UTF-8: byte 0xFF stands here"),
     (b"A=1\nB=\x00\n", "e.env:2:3: cannot read the file: it is not text: the character U+0000 stands here")],
)  # fmt: skip
def test_an_env_file_that_is_no_text_is_refused_with_its_place(folder: Folder, content: bytes, words: str) -> None:
    """No component gets half of it."""
    folder.write(content, "e.env")
    assert folder.problem("components: {a: {command: x, env_file: e.env}}\n") == words
