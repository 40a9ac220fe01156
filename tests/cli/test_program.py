"""What holds for every command: help, typos, errors, interrupts, closed pipes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import pytest

from stigmer_pm.cli.app import _ELSEWHERE, COMMANDS, READER_GONE, app
from stigmer_pm.cli.session import Session
from stigmer_pm.client import NoSupervisor

from . import documents
from .conftest import Cli, program_environ

#: What a command that only looks must not import, as ``ps`` would pay for it.
HEAVY = ("rich", "yaml", "pydantic", "asyncio", "watchfiles", "psutil", "stigmer_pm.supervisor", "stigmer_pm.core")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_with_an_example(cli: Cli, name: str) -> None:
    """``--help`` of every command."""
    result = cli.run(name, "--help")
    assert result.code == 0
    assert f"Usage: stigmer-pm {name}" in result.out
    _, example, lines = result.out.partition("Example:")
    assert example
    assert f"stigmer-pm {name}" in lines


def test_a_choice_that_is_missing_is_told_in_one_line(cli: Cli) -> None:
    """As every error."""
    error, hint = cli.run("completion").err.splitlines()
    assert error == "error: missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish"
    assert hint == "  see 'stigmer-pm completion --help'"


def test_the_list_of_commands_cuts_no_sentence(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command has a whole sentence, in one line of the narrowest usual terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = cli.run("--help").out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("..") for line in lines), lines


@pytest.mark.parametrize("name", COMMANDS)
def test_a_default_or_limit_stands_in_one_pair_of_brackets(cli: Cli, name: str) -> None:
    """``[default: 1s]``, and neither ``[default: (1s)]`` nor ``[default: all] [x>=0]``."""
    text = " ".join(cli.run(name, "--help").out.split())
    assert "[default: (" not in text
    assert "x>=" not in text
    assert "] [" not in text.partition("Options:")[2]


@pytest.mark.parametrize("command", ["logs", "events"])
@pytest.mark.parametrize("lines", ["-1", "many", "1.5", "9" * 5000])
def test_a_count_of_lines_is_a_whole_number(cli: Cli, command: str, lines: str) -> None:
    """What is none is refused with what was found."""
    result = cli.run(command, "-n", lines)
    assert result.code == 2
    assert f"expected a whole number from 0 on, found '{lines:.40}'" in result.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_one_that_the_command_takes(name: str) -> None:
    """It works as pasted: every option and argument of it is parsed."""
    import shlex

    command = app.get_command(click.Context(app), name)
    assert command is not None
    assert command.epilog is not None
    for line in command.epilog.splitlines():
        program, _, rest = line.strip().partition(" ")
        if program == "stigmer-pm":
            words = shlex.split(rest.partition(" > ")[0])
            context = click.Context(app, info_name="stigmer-pm", obj=_NoSession())
            command.make_context(words[0], words[1:], parent=context)


class _NoSession:
    file_option: str | None = None


def test_a_typo_in_a_command_names_the_nearest(cli: Cli) -> None:
    """Exit 2."""
    result = cli.run("restrat", "web")
    assert result.code == 2
    assert "there is no command 'restrat'; did you mean 'restart'" in result.err


def test_a_command_of_another_program_names_the_one_that_is_meant(cli: Cli) -> None:
    """Whoever comes from PM2, Compose or supervisord. Each of the hints is a command that there is."""
    result = cli.run("delete", "web")
    assert (result.code, result.err.splitlines()[0]) == (2, "error: there is no command 'delete'; here it is 'stop'")
    for theirs, ours in _ELSEWHERE.items():
        assert theirs not in COMMANDS
        name, *options = ours.split()
        command = app.get_command(click.Context(app), name)
        assert command is not None
        assert set(options) <= {spelling for parameter in command.params for spelling in parameter.opts}


def test_the_file_is_taken_before_and_after_the_command(cli: Cli) -> None:
    """``-f other.yaml validate`` and ``validate -f other.yaml``."""
    (cli.dir / "other.yaml").write_text("project: other\ncomponents: {a: {command: x}}\n")
    for arguments in (("-f", "other.yaml", "validate"), ("validate", "--file", "other.yaml")):
        result = cli.run(*arguments)
        assert result.code == 0, result
        assert "project 'other'" in result.out


def test_a_bug_is_one_line_and_its_traceback_is_where_it_says(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the log of the supervisor when the project has one, in a file of its own otherwise."""

    def broken(session: Session) -> Any:
        session.state()
        raise ValueError("a bug\nwith two lines")

    monkeypatch.setattr(Session, "supervisor", broken)
    first = cli.run("ps")
    cli.state.mkdir()
    second = cli.run("ps")
    for result in (first, second):
        assert result.code == 1
        error, place = result.err.splitlines()
        assert error == "error: internal error: ValueError: a bug"
        path = Path(place.partition("its traceback is in ")[2])
        assert "in broken" in path.read_text()
    assert str(cli.state / "supervisor.log") in second.err


def test_a_bug_whose_traceback_can_not_be_written_down_is_said_all_the_same(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No state folder yet, and a full disk; the traceback came to the terminal."""

    def broken(session: Session) -> Any:
        raise ValueError("a bug")

    monkeypatch.setattr(Session, "supervisor", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(cli.dir / "gone"))
    result = cli.run("ps")
    assert result.code == 1
    assert result.err.splitlines() == [
        "error: internal error: ValueError: a bug",
        "  its traceback can't be written down: no such file or directory",
    ]


def test_an_interrupt_is_130_and_says_that_nothing_is_hurt(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the command was doing."""

    def interrupted(session: Session) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "supervisor", interrupted)
    result = cli.run("ps")
    assert result.code == 130
    assert result.err == "interrupted; what runs is not hurt\n"


def test_a_reader_that_has_gone_is_no_error_to_talk_about() -> None:
    """``stigmer-pm version | true`` says nothing."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "stigmer_pm", "version"],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
            env=program_environ(),
        )
    assert (done.returncode, done.stderr) == (READER_GONE, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_said_in_one_line() -> None:
    """Exit 1."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stigmer_pm", "version"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env=program_environ(),
        )
    assert done.returncode == 1
    assert done.stderr == b"error: cannot write the output: no space left on device\n"


def test_looking_imports_nothing_heavy(cli: Cli) -> None:
    """``ps`` is as fast as its imports, so they are held down."""
    fake = cli.supervise()
    fake.answers["GET /v1/ps"] = documents.ps(documents.component("web"))
    script = (
        "import sys; from stigmer_pm.cli.app import run; status = run(['ps']); "
        f"print([name for name in {HEAVY!r} if name in sys.modules]); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=cli.dir, env=program_environ()
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_shell_completes_commands_and_names(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names come from the supervisor; without one there are none, and no error."""
    monkeypatch.setenv("_STIGMER_PM_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "stigmer-pm restart w")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert cli.run().out.strip() == ""
    fake = cli.supervise()
    fake.answers["GET /v1/ps"] = documents.ps(documents.component("web"), documents.component("db"))
    assert cli.run().out == "plain,web\n"
    monkeypatch.setenv("COMP_WORDS", "stigmer-pm rest")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert cli.run().out == "plain,restart\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(cli: Cli, shell: str) -> None:
    """It asks the program, by the variable that the program listens to."""
    result = cli.run("completion", shell)
    assert result.code == 0
    assert "_STIGMER_PM_COMPLETE" in result.out


def test_a_closed_output_is_none_of_our_business() -> None:
    """``stigmer-pm version >&-`` as a job of cron may have it."""
    script = f"exec {sys.executable} -m stigmer_pm version >&- 2>&-"
    done = subprocess.run(["sh", "-c", script], check=False, env=program_environ())
    assert done.returncode == 0


def test_version_for_people_and_for_programs(cli: Cli) -> None:
    """The same number."""
    version = json.loads(cli.run("version", "--json").out)["version"]
    assert cli.run("version").out.startswith(f"stigmer-pm {version} ")
    assert cli.run("--version").out == f"stigmer-pm {version}\n"


def test_a_name_in_another_encoding_than_the_terminals_ends_no_command() -> None:
    """It is shown escaped."""
    done = subprocess.run(
        [sys.executable, "-m", "stigmer_pm", "ups…"],
        env={**program_environ(), "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"\\u2026" in done.stderr


def test_no_supervisor_is_its_own_kind_of_error() -> None:
    """Callers tell "none runs" from "one can't be reached"."""
    assert NoSupervisor("x", is_absent=True).exit_status == 3
    assert not NoSupervisor("x").is_absent
    assert isinstance(sys.stderr, io.TextIOBase)
