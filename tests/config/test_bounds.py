"""A large file loads at once, and one that is made to take for ever is refused at once."""

from __future__ import annotations

import os
import pty
import threading
import time

import pytest

from .conftest import Folder

COUNT = 1000

# Longer than it takes by ten times, for the machine may be busy; what takes the square of its size takes minutes.
SOON_S = 5.0


@pytest.mark.slow
def test_a_thousand_components_load_in_well_under_a_second(folder: Folder) -> None:
    """With all that components usually have. The time of the process is counted, for others run beside it."""
    text = (
        "defaults: {restart: on-failure, backoff: {max: 30s}, labels: {stack: x}, env_file: common.env}\ncomponents:\n"
    )
    text += "".join(
        f"""
  c{i}:
    command: sleep {i} ${{X:-1}}
    environment: {{A: 1, B: two, PORT: '8000'}}
    labels: {{tier: core}}
    probes: {{liveness: {{http: {{path: /healthz, port: 8080}}, period: 2s}}, readiness: {{tcp: 80}}}}
    depends_on: [c{i - 1}]
"""
        for i in range(1, COUNT)
    )
    folder.write("".join(f"V{i}=value\n" for i in range(20)), "common.env")
    folder.write(text + "  c0: {command: x}\n")
    started = time.process_time()
    assert len(folder.load().components) == COUNT
    assert time.process_time() - started < 1.0


# A file (with another one, perhaps) and how it is refused; the empty words: it is valid.
HEAVY = {
    "defaults under many": (
        f"defaults: {{labels: {{{','.join(f'l{i}: x' for i in range(3000))}}}}}\ncomponents:\n"
        + "".join(f"  c{i}: {{command: x}}\n" for i in range(3000)),
        "'defaults' stands for more than 1000000 values under all components",
    ),
    "aliases of a long text": (
        f"x-a: &a '{'y' * 100_000}'\ncomponents: {{a: {{command: [x{',*a' * 5000}]}}}}\n",
        "the aliases of the file stand for more than 250000 values",
    ),
    "a long variable many times": (
        f"components: {{a: {{command: [x{',$LONG' * 5000}]}}}}\n",
        "the file is longer than 32 MiB once its variables are filled in",
    ),
    "ranges of ports": (
        f"components: {{a: {{image: i, ports: [{','.join(['1-65535'] * 300)}]}}}}\n",
        "the ranges of ports in the file come to more than 131070",
    ),
    "a chain of dependencies": (
        "components:\n  c0: {command: x}\n"
        + "".join(f"  c{i}: {{command: x, depends_on: [c{i - 1}]}}\n" for i in range(1, 5000)),
        "",
    ),
    "dependencies on all": (
        "components:\n"
        + "".join(f"  c{i}: {{command: x}}\n" for i in range(5000))
        + f"  z: {{command: x, depends_on: [{','.join(f'c{i}' for i in range(5000))}]}}\n",
        "",
    ),
    "all on all": (
        "components:\n"
        + "".join(
            f"  c{i}: {{command: x, depends_on: [{','.join(f'c{j}' for j in range(150))}]}}\n" for i in range(150)
        ),
        "the components depend on each other in a cycle: c0 -> c0",
    ),
    "unknown names": (
        "components:\n" + "".join(f"  comp{i}: {{command: x, depends_on: [kmop{i}]}}\n" for i in range(1000)),
        "no component is called 'kmop0'; did you mean",
    ),
    "unknown keys": (
        f"components: {{a: {{command: x{''.join(f', max_rest{i}: 1' for i in range(1000))}}}}}\n",
        "unknown key 'max_rest0'; did you mean 'max_restarts'?",
    ),
    "bad values": (
        "components:\n"
        + "".join(f"  c{i}: {{command: x, min_uptime: z, probes: 5, log: [], ports: 5}}\n" for i in range(1000)),
        "expected a duration",
    ),
    "unknown keys without end": (
        f"components: {{a: {{command: x{''.join(f', max_rest{i}: 1' for i in range(100_000))}}}}}\n",
        "unknown key 'max_rest0'; did you mean 'max_restarts'?",
    ),
    "many unknown names among many": (
        "components:\n" + "".join(f"  component{i}: {{command: x, depends_on: [omponent{i}]}}\n" for i in range(9000)),
        "no component is called 'omponent0'; did you mean",
    ),
    "bad items without end": (
        f"components: {{a: {{command: x, success_exit_codes: [{'TREM,' * 90_000}]}}}}\n",
        "or the name of a signal, found 'TREM'; did you mean 'TERM'?",
    ),
    "values without end": (f"x-a: [{'a,' * 3_000_000}]\n", "the file holds more than 500000 values"),
    "components without end": (
        f"components: {{{''.join(f'c{i}: {{}},' for i in range(100_000))}}}\n",
        "expected at most 10000 components, found 100000",
    ),
    "ports without end": (
        f"components: {{a: {{image: x, ports: [{'q,' * 100_000}]}}}}\n",
        "expected a list of at most 10000 items, found 100000",
    ),
    "brackets of variables": (f"components: {{a: {{command: '{'${NO:-' * 50_000}'}}}}\n", ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(HEAVY))
def test_no_file_keeps_its_reader_waiting(folder: Folder, name: str) -> None:
    """config.md: "a "billion laughs" file is refused in milliseconds", and there are others of its kind."""
    text, words = HEAVY[name]
    folder.write(text)
    environ = {"LONG": "y" * 100_000}
    started = time.process_time()
    if words:
        assert words in folder.problems(environ=environ)[0]
    else:
        folder.load(environ=environ)
    assert time.process_time() - started < SOON_S


def test_a_thousand_things_that_are_wrong_are_told_and_that_there_are_more(folder: Folder) -> None:
    """Each with its place; nobody reads the rest, and a terminal would scroll for minutes."""
    found = folder.problems("components:\n" + "".join(f"  c{i}: {{command: }}\n" for i in range(3000)))
    assert len(found) == 1001
    assert found[999].startswith("1001:19: components.c999.command: ")
    assert found[1000] == "1002:20: more than 1000 things are wrong; put those right first that are told here"


def test_two_hundred_things_that_are_wrong_with_one_value_are_told(folder: Folder) -> None:
    """The list is wrong for one reason."""
    found = folder.problems(f"components: {{a: {{command: [{'[],' * 3000}]}}}}\n")
    assert len(found) == 200


def test_two_merge_keys_in_one_mapping_are_a_duplicate(folder: Folder) -> None:
    """config.md: "Duplicate keys are an error"; one ``<<`` takes a list."""
    found = folder.problems("x-a: &a {nice: 1}\nx-b: &b {user: u}\ncomponents: {a: {<<: *a, <<: *b, command: x}}\n")
    assert found == [
        "3:26: components.a.<<: '<<' stands here for the second time; the first is in line 3; it takes a list"
    ]


def test_no_message_holds_what_a_terminal_would_obey(folder: Folder) -> None:
    """Line ends and control characters of names and values are shown by their escapes."""
    found = folder.problems('components: {a: {command: x, min_uptime: "a\\nb\\e[31m", "c\\nd\\"e": 1}}\n')
    assert found == [
        r"1:42: components.a.min_uptime: expected a duration such as 500ms, 10s, 1m30s or 2h, found 'a\nb\x1b[31m'",
        r"""1:56: components.a."c\nd\"e": unknown key 'c\nd"e'""",
    ]


def test_a_message_that_the_file_asks_for_is_one_line_too(folder: Folder) -> None:
    """``${NAME:?words}``."""
    found = folder.problem('components: {a: {command: "${NO:?say\\n' + "why " * 1000 + '}"}}\n')
    assert found.startswith(r"1:27: components.a.command: the variable 'NO' is not set, and is required: say\nwhy why")
    assert len(found) < 1100


def test_a_file_from_a_pipe_or_a_terminal_is_read_to_its_end(folder: Folder) -> None:
    """``-f <(command)`` and ``-f /dev/stdin``: a terminal gives nothing for a while, which is not its end."""
    controller, terminal = pty.openpty()
    try:
        timer = threading.Timer(0.05, os.write, (controller, b"components: {a: {command: x}}\n\x04"))
        timer.start()
        folder.file = os.ttyname(terminal)
        assert folder.load().components[0].name == "a"
        timer.join()
    finally:
        os.close(terminal)
        os.close(controller)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_in_place_of_the_file_is_refused(folder: Folder, device: str) -> None:
    """Empty, or without end."""
    folder.file = device
    assert folder.problems()[0].startswith(("1:1: the file is empty", "cannot read the file: it is larger than 8 MiB"))


@pytest.mark.parametrize("device", ["/dev/null"])
def test_an_empty_device_is_an_env_file_without_variables(folder: Folder, device: str) -> None:
    """As who switches a file off writes it."""
    process = folder.component(f"command: x, env_file: {device}").process
    assert process is not None
    assert process.environment == {}
