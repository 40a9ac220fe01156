"""Where ``${VAR}`` comes from, and that what it stands for is read as the type of its field."""

from __future__ import annotations

import pytest

from .conftest import Folder


def words_of(folder: Folder, text: str, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    """The arguments of the first component."""
    process = folder.load(text, environ).components[0].process
    assert process is not None
    return process.argv


A = "components: {a: {command: [x, $A]}}\n"


def test_the_callers_environment_goes_before_the_env_file_of_the_project(folder: Folder) -> None:
    """config.md: "the invoker's environment, then the `.env` beside the file"."""
    folder.write("A=file\n", ".env")
    assert words_of(folder, A) == ("x", "file")
    assert words_of(folder, A, {"A": "caller"}) == ("x", "caller")
    assert words_of(folder, A, {"A": ""}) == ("x", "")


def test_the_top_env_file_takes_the_place_of_the_usual_one(folder: Folder) -> None:
    """One or several; the later wins."""
    for name, content in ((".env", "A=usual\nU=1\n"), ("one.env", "A=1\nB=1\n"), ("two.env", "B=2\n")):
        folder.write(content, name)
    assert words_of(folder, f"env_file: one.env\n{A}") == ("x", "1")
    text = "env_file: [one.env, two.env]\ncomponents: {a: {command: [x, $A, $B, '${U:-unset}']}}\n"
    assert words_of(folder, text) == ("x", "1", "2", "unset")
    assert words_of(folder, "env_file:\n" + A) == ("x", "usual")


def test_a_variable_in_a_top_env_file_is_the_callers_then_its_own_then_that_of_a_file_before_it(folder: Folder) -> None:
    """The nearest line that sets it counts, and the caller above all."""
    folder.write("A=one\nB=one\n", "one.env")
    folder.write("B=two\nC=${A}-${B}\n", "two.env")
    text = "env_file: [one.env, two.env]\ncomponents: {a: {command: [x, $C]}}\n"
    assert words_of(folder, text) == ("x", "one-two")
    assert words_of(folder, text, {"B": "caller"}) == ("x", "one-caller")


def test_the_path_of_the_top_env_file_may_hold_what_the_caller_and_the_files_before_it_set(folder: Folder) -> None:
    """So that one file may choose the next."""
    folder.write("WHICH=two\n", "one.env")
    folder.write("A=2\n", "two.env")
    assert words_of(folder, f"env_file: [one.env, '$WHICH.env']\n{A}") == ("x", "2")
    assert words_of(folder, f"env_file: $FILE\n{A}", {"FILE": "two.env"}) == ("x", "2")


def test_a_top_env_file_whose_name_comes_too_late_is_an_error_and_not_left_out(folder: Folder) -> None:
    """A file that is named is read, or it is said why not."""
    folder.write("WHICH=two\n", "one.env")
    folder.write("A=2\n", "two.env")
    found = folder.problems("env_file: ['$WHICH.env', one.env]\ncomponents: {a: {command: x}}\n")
    assert len(found) == 1
    assert found[0].startswith("1:12: env_file[0]: the variable 'WHICH' is not set")


def test_an_unset_variable_in_the_name_of_the_top_env_file_is_told_once(folder: Folder) -> None:
    """Though it is filled in twice."""
    found = folder.problem("env_file: $NO_SUCH\ncomponents: {a: {command: x}}\n")
    assert found.startswith("1:11: env_file: the variable 'NO_SUCH' is not set")


def test_a_broken_env_file_of_the_project_is_told_at_its_line(folder: Folder) -> None:
    """With its own name."""
    folder.write("A=1\nno assignment\n", ".env")
    assert folder.problem(A).startswith(".env:2:1: expected NAME=VALUE or a comment")


# Fields with ``@`` in the place of a value, and a value that is valid there. Two blanks make a second case.
TYPED = {
    "command: x, shell: @": "true",
    "command: x, autostart: @": "false",
    "command: x, nice: @": "-5",
    "command: x, umask: @": "027",
    "command: x, min_uptime: @": "1m30s",
    "command: x, restart_window: @": "90",
    "command: x, stop_timeout: @": "2.5",
    "command: x, max_restarts: @": "3",
    "command: x, max_restarts:  @": "unlimited",
    "command: x, restart: @": "on-failure:3",
    "command: x, restart:  @": "no",
    "command: x, backoff: @": "5s",
    "command: x, backoff: {initial: @}": "500ms",
    "command: x, backoff: {factor: @}": "1.5",
    "command: x, backoff: {jitter: @}": "0.5",
    "command: x, success_exit_codes: @": "3",
    "command: x, success_exit_codes: [0, @]": "143",
    "command: x, success_exit_codes: [0,  @]": "SIGINT",
    "command: x, stop_signal: @": "INT",
    "command: x, stop_signal:  @": "2",
    "command: x, limits: {nofile: @}": "1024",
    "command: x, limits: {core: @}": "10MiB",
    "command: x, log: @": "logs/x.log",
    "command: x, log: {max_size: @}": "0",
    "command: x, profiles: [@]": "debug",
    "command: x, user: @": "1000",
    "command: x, labels: {a: @}": "5",
    "command: x, environment: {A: @}": "5",
    "command: x, working_dir: @": "sub",
    "command: x, replicas: @": "1",
    "command: x, probes: {liveness: {tcp: @}}": "8080",
    "command: x, probes: {liveness: {tcp:  @}}": "localhost:8080",
    "command: x, probes: {liveness: {tcp: {port: @}}}": "8080",
    "command: x, probes: {liveness: {http: @}}": "http://localhost:8080/x",
    "command: x, probes: {liveness: {http: {port: @}}}": "8080",
    "command: x, probes: {liveness: {http: {port: 80, scheme: @}}}": "https",
    "command: x, probes: {liveness: {httpGet: {port: 80, scheme: @}}}": "HTTPS",
    "command: x, probes: {liveness: {http: {port: 80, headers: {A: @}}}}": "b",
    "command: x, probes: {liveness: {exec: @}}": "pg_isready",
    "command: x, probes: {liveness: {tcp: 80, period: @}}": "5s",
    "command: x, probes: {liveness: {tcp: 80, periodSeconds: @}}": "5",
    "command: x, probes: {liveness: {tcp: 80, failure_threshold: @}}": "5",
    "image: @": "redis:7",
    "image: i, ports:  [@]": "8080:80",
    "image: i, ports: [@]": "8080",
    "image: i, ports: [{target: @}]": "80",
    "image: i, volumes: [@]": "./d:/d:ro",
    "image: i, volumes: [{target: /d, read_only: @}]": "true",
    "image: i, volumes: [{type: tmpfs, target: /d, tmpfs: {size: @}}]": "10MiB",
    "image: i, volumes: [{type: tmpfs, target: /d, tmpfs: {mode: @}}]": "0755",
    "image: i, networks: [@]": "back",
    "image: i, networks: @": "back",
    "image: i, limits: {memory: @}": "10MiB",
    "image: i, limits: {cpu: @}": "0.5",
    "image: i, pull: @": "always",
}


@pytest.mark.parametrize("fields", sorted(TYPED))
@pytest.mark.parametrize("form", ["$V", "'${V}'", '"${V:-no such}"', "'${NO:-$V}'"])
def test_a_variable_is_read_as_the_type_of_its_field(folder: Folder, fields: str, form: str) -> None:
    """config.md: "it is read as the type of its field (`max_restarts: ${N:-5}`)", with quotation marks or without."""
    value = TYPED[fields]
    filled = folder.component(fields.replace("@", form), {"V": value})
    assert filled == folder.component(fields.replace("@", value))


@pytest.mark.parametrize(
    "value", ["{a: b}", "[x]", "a: b", "a\nb: c", "# no comment", "*x", "&x y", "- a", "'q", "${B}"]
)
def test_a_value_never_changes_the_structure_of_the_file(folder: Folder, value: str) -> None:
    """config.md: "A value never changes the structure of the file". It isn't filled in a second time either."""
    process = folder.component("command: [x, $A], environment: {V: $A}", {"A": value, "B": "never"}).process
    assert process is not None
    assert process.argv == ("x", value)
    assert process.environment == {"V": value}


def test_keys_are_not_filled_in(folder: Folder) -> None:
    """config.md: "in string values"."""
    process = folder.component("command: x, environment: {$A: 1}", {"A": "B"}).process
    assert process is not None
    assert process.environment == {"$A": "1"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("command: x, nice: $V", "expected a whole number from -20 to 19, found 'many'"),
        ("command: x, shell: $V", "expected true or false, found 'many'"),
        ("command: x, min_uptime: $V", "expected a duration such as 500ms, 10s, 1m30s or 2h, found 'many'"),
        ("command: x, probes: {liveness: {tcp: {port: $V}}}", "no port under 'ports' is called 'many'"),
        ("command: x, stop_signal: $V", "expected the name of a signal such as SIGTERM, found 'many'"),
    ],
)
def test_a_value_of_another_type_is_told_with_what_the_variable_holds(folder: Folder, fields: str, words: str) -> None:
    """Not with the name of the variable, which stands in the file anyway."""
    assert words in folder.problem(f"components: {{a: {{{fields}}}}}\n", {"V": "many"})


def test_bytes_of_the_environment_that_are_no_text_are_refused_in_words_where_a_type_is_wanted(folder: Folder) -> None:
    """Found by trying: they ended in a UnicodeEncodeError."""
    environ = {"V": b"\xff\x1b[31m".decode("utf-8", "surrogateescape")}
    found = folder.problem("components: {a: {command: x, nice: $V}}\n", environ)
    assert found.endswith(r"expected a whole number from -20 to 19, found '\udcff\x1b[31m'")


def test_an_unset_variable_is_told_at_each_of_its_places_and_in_nothing_that_is_ignored(folder: Folder) -> None:
    """``x-`` mappings are only looked at where an alias uses them."""
    found = folder.problems(
        """
        x-a: {b: $ONE}
        x-c: &c {description: $TWO}
        components:
          a: {<<: *c, command: [x, $THREE, $THREE]}
          b: {<<: *c, command: y}
        """
    )
    assert [line.split(":")[:2] for line in found] == [["3", "23"], ["5", "28"], ["5", "36"]]
