"""What is executed: words of a command, and a shell where one is asked for."""

from __future__ import annotations

import pytest

from .conftest import Folder


def argv_of(folder: Folder, fields: str, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    """The arguments of the one component."""
    process = folder.component(fields, environ).process
    assert process is not None
    return process.argv


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("sleep 1", ("sleep", "1")),
        ("'  sleep   1  '", ("sleep", "1")),
        ("""'a "b c" d'""", ("a", "b c", "d")),
        ("""'a b\\ c'""", ("a", "b c")),
        ("""'a ""'""", ("a", "")),
        ("'a $$HOME ; b | c > d &'", ("a", "$HOME", ";", "b", "|", "c", ">", "d", "&")),
        ("'a # b'", ("a", "#", "b")),
        ('"a\\nb"', ("a", "b")),
        ("true", ("true",)),
        ("no", ("no",)),
        ("1.10", ("1.10",)),
        ("[sleep, 1]", ("sleep", "1")),
        ("[a, 'b c', '']", ("a", "b c", "")),
        ("[a, 010, 1.10, true, 0x1F, no]", ("a", "010", "1.10", "true", "0x1F", "no")),
        ("[x, '$$A']", ("x", "$A")),
    ],
)
def test_a_command_is_split_into_words_and_a_list_is_taken_word_by_word(
    folder: Folder, command: str, argv: tuple[str, ...]
) -> None:
    """config.md: "a string is split into words as a shell would, but no shell runs it"."""
    assert argv_of(folder, f"command: {command}") == argv


def test_a_shell_gets_the_string_as_it_is(folder: Folder) -> None:
    """config.md: "run the string by `/bin/sh -c` instead"."""
    assert argv_of(folder, "command: 'a  $$B | \"c', shell: true") == ("/bin/sh", "-c", 'a  $B | "c')
    assert argv_of(folder, "command: a b, shell: false") == ("a", "b")


def test_a_variable_in_a_string_is_split_like_the_rest_of_it_and_in_a_list_it_is_one_word(folder: Folder) -> None:
    """As in a shell without and with quotation marks."""
    environ = {"ARGS": "--x 'y z'"}
    assert argv_of(folder, "command: run $ARGS", environ) == ("run", "--x", "y z")
    assert argv_of(folder, "command: [run, $ARGS]", environ) == ("run", "--x 'y z'")


@pytest.mark.parametrize("command", ["\"''\"", "\"'' x\"", "'$E'", "' '"])
def test_a_command_without_a_program_is_refused(folder: Folder, command: str) -> None:
    """Also one that a variable has emptied."""
    found = folder.problem(f"components: {{a: {{command: {command}}}}}\n", {"E": ""})
    assert found.startswith("1:27: components.a.command: expected a command")


def test_an_unclosed_quotation_mark_comes_with_both_cures(folder: Folder) -> None:
    """Close it, or let a shell run it."""
    found = folder.problem('components: {a: {command: "echo it\'s"}}\n')
    assert found.endswith("a quotation mark in it is never closed; close it, or 'shell: true' to run it by a shell"), (
        found
    )
