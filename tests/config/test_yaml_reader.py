"""YAML 1.2 with places and bounds."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml

from stigmer_pm.config import ConfigError, yaml_reader
from stigmer_pm.config.nodes import MappingNode, Plain, Scalar, child
from stigmer_pm.config.problems import Problems
from stigmer_pm.config.resolved import _plain
from stigmer_pm.config.yaml_reader import read_yaml
from stigmer_pm.config.yaml_scalars import resolve_plain

from .conftest import Folder


def read(text: str | bytes) -> dict[str, Plain]:
    """The document as plain values."""
    problems = Problems("f")
    node = read_yaml("f", text.encode() if isinstance(text, str) else text, problems)
    problems.raise_any()
    return {key: _plain(entry.node, (key,)) for key, entry in node.entries.items()}


@pytest.mark.parametrize(
    "text", ["no", "No", "off", "on", "yes", "y", "n", "22:22", "190:20:30", "2001-12-14", "2001-12-14T21:59:43Z",
             "1_000", "0b11", "0o9", "0xG", "=", "<", "1.2.3", "+", "-", ".", "-.", "1e", "nan", "inf", "tRue", "nULL",
             "+0x1F", "1" * 101],
)  # fmt: skip
def test_what_yaml_1_1_would_convert_stays_text(text: str) -> None:
    """config.md: "`no`, `off`, `on`, `yes` are strings, `22:22` is a string, no dates, no sexagesimals"."""
    assert resolve_plain(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None), ("true", True), ("True", True),
     ("FALSE", False), ("0", 0), ("-19", -19), ("+12", 12), ("0o14", 12), ("0x1F", 31), ("012", 12), ("1.5", 1.5),
     (".5", 0.5), ("1.", 1.0), ("-1e3", -1000.0), ("1E+2", 100.0), (".inf", math.inf), ("-.INF", -math.inf)],
)  # fmt: skip
def test_the_core_schema_of_yaml_1_2_is_read(text: str, value: object) -> None:
    """YAML 1.2.2, chapter 10.3.2."""
    found = resolve_plain(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_read() -> None:
    """``.nan``."""
    assert math.isnan(float(str(resolve_plain(".NaN"))))


def test_quotes_make_text() -> None:
    """Whatever stands in them, block scalars too."""
    assert read("a: '5'\nb: \"true\"\nc: |\n  7\n") == {"a": "5", "b": "true", "c": "7\n"}


def test_standard_tags_are_obeyed() -> None:
    """``!!str``, ``!!int`` and the like."""
    assert read("a: !!str 5\nb: !!int '7'\nc: ! 5\nd: !!map {}\ne: !!float 1\nf: !!null ''\n") == {
        "a": "5", "b": 7, "c": "5", "d": {}, "e": 1, "f": None,
    }  # fmt: skip


def test_anchors_aliases_and_merge_keys_work() -> None:
    """Own keys win over merged ones, the first of several merged over the later."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd: {<<: *a}\ne: *a\nf: &s v\ng: *s\n"
    found = read(text)
    assert found["c"] == {"x": 3, "y": 1, "z": 2}
    assert found["d"] == found["e"] == {"x": 1, "y": 1}
    assert found["g"] == "v"


def test_a_quoted_merge_key_is_a_key() -> None:
    """Only a plain ``<<`` merges."""
    assert read("'<<': 5\n") == {"<<": 5}


def test_keys_are_text_as_written() -> None:
    """``on`` is no truth value, and 08 keeps its zero."""
    assert list(read("on: 1\n08: 2\ntrue: 3\n1.10: 4\n")) == ["on", "08", "true", "1.10"]


def test_every_value_has_its_place() -> None:
    """Counted from 1, in characters and not in bytes."""
    node = read_yaml("f", "a: 1\n'ü': {b:   [x, 'é', y]}\n".encode(), Problems("f"))
    assert (node.entries["ü"].line, node.entries["ü"].column) == (2, 1)
    inner = child(node, "ü")
    assert isinstance(inner, MappingNode)
    items = inner.entries["b"].node
    assert not isinstance(items, (Scalar, MappingNode))
    assert [(item.line, item.column) for item in items.items] == [(2, 13), (2, 16), (2, 21)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_of_yaml_are_read(encoding: str) -> None:
    """UTF-8, with a byte order mark too, and UTF-16 with one."""
    assert read("a: 'äöü€😀'\n".encode(encoding)) == {"a": "äöü€😀"}


def test_line_ends_of_windows_are_read() -> None:
    """CRLF."""
    assert read("a: 1\r\nb:\r\n  c: x\r\n") == {"a": 1, "b": {"c": "x"}}


REFUSED = {
    "syntax": ("a: [1, 2\nb: 3\n", "2:2", "cannot read as YAML"),
    "tab": ("a:\n\tb: 1\n", "2:1", "indent with spaces"),
    "variable in flow": ("a: {b: ${P:-1}}\n", "1:", "put a value with ${...} in quotes"),
    "bad indent": ("a:\n  b: 1\n c: 2\n", "3:2", "cannot read as YAML"),
    "unknown alias": ("a: *nope\n", "1:4", "no anchor '&nope'"),
    "alias before its anchor": ("a: *x\nb: &x 1\n", "1:4", "no anchor '&x' stands above"),
    "recursion": ("a: &x [*x]\n", "1:8", "so it never ends"),
    "recursion in a mapping": ("a: &x\n  b: *x\n", "2:6", "so it never ends"),
    "two documents": ("a: 1\n---\nb: 2\n", "2:1", "expected one document"),
    "list at the top": ("- a\n", "1:1", "expected a mapping with 'components' at the top, found a list"),
    "scalar at the top": ("hello\n", "1:1", "found a single value"),
    "mapping as a key": ("{a: 1}: 2\n", "1:1", "expected a name as the key"),
    "list as a key": ("? [a]\n: 2\n", "1:3", "expected a name as the key"),
    "alias as a key": ("a: &x [1]\n*x : 2\n", "2:1", "expected a name as the key"),
    "deep flow": ("a: " + "[" * 200, "1:67", "nested more than 64 levels deep"),
    "deeper flow": ("a: " + "[" * 5000, "", ""),
    "deep block": ("\n".join(" " * i + "a:" for i in range(200)), "65:65", "nested more than 64 levels deep"),
    "directive": ("%YAML 3.0\n---\na: 1\n", "1:1", "cannot read as YAML"),
    "merge of a scalar": ("a: {<<: 5}\n", "1:9", "expected a mapping after '<<'"),
    "unknown tag": ("a: !python/object:os.system x\n", "1:4", "the tag '!python/object:os.system' is not supported"),
    "unknown collection tag": ("a: !!set {x}\n", "1:4", "is not supported; remove it"),
    "tag that lies": ("a: !!int x\n", "1:4", "expected int as its tag says, found 'x'"),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "3:1", "'a' stands here for the second time; the first is in line 1"),
    "duplicate in flow": ("a: {x: 1, 'x': 2}\n", "1:11", "'x' stands here for the second time"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_no_good_yaml_is_refused_with_its_place(name: str) -> None:
    """One line, with what to do."""
    text, place, words = REFUSED[name]
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(f"f:{place}"), caught.value
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "--- ~\n", "null\n"])
def test_an_empty_file_is_said_to_be_empty(text: str) -> None:
    """With what shows how to fill it."""
    with pytest.raises(ConfigError, match="the file is empty; 'stigmer-pm init'"):
        read(text)


def test_a_bomb_of_aliases_is_refused() -> None:
    """A "billion laughs" file is refused before it is expanded."""
    text = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
    )
    with pytest.raises(ConfigError, match=r"f:\d+:\d+: .*the aliases of the file stand for more than 250000 values"):
        read(text)


def test_nesting_through_aliases_is_bounded() -> None:
    """Each level a line, so that nothing is deep where it is written."""
    text = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 80))
    with pytest.raises(ConfigError, match="nested more than 64 levels deep through the alias"):
        read(text)


def test_many_components_may_merge_one_template() -> None:
    """What people write is far from the bound."""
    template = "x-t: &t {" + ", ".join(f"k{i}: {i}" for i in range(40)) + "}\n"
    found = read(template + "".join(f"c{i}: {{<<: *t, own: 1}}\n" for i in range(3000)))
    assert len(found) == 3001


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: \xff\n", "f:1:4: cannot read the file: it is not UTF-8: byte 0xFF stands here"),
        (b"a: 1\nb: caf\xe9\n", "f:2:7: cannot read the file: it is not UTF-8"),
        (b"a: \x00\n", "f:1:4: cannot read the file: it is not text: the character U+0000 stands here"),
        (b"\x7fELF\x02\x01\x01\x00\xff\xfe", "it is a binary file, not text"),
        (b"a: \x1b[0m\n", "U+001B"),
        ("a: \ufffe\n".encode(), "U+FFFE"),
        (b"\xff\xfea", "it is not UTF-8"),
    ],
)
def test_what_is_no_text_is_said_with_its_place(content: bytes, words: str) -> None:
    """The byte or the character."""
    with pytest.raises(ConfigError) as caught:
        read(content)
    assert words in str(caught.value)


def test_a_file_that_is_too_large_is_refused(folder: Folder) -> None:
    """8 MiB."""
    folder.write(b"#" * ((8 << 20) + 1))
    assert "it is larger than 8 MiB" in folder.problem()


def test_a_folder_in_place_of_the_file_is_said(folder: Folder) -> None:
    """And not taken for an empty file."""
    Path(folder.file).mkdir()
    assert folder.problems()[0].endswith("cannot read the file: it is a folder")


def test_a_missing_file_is_said(folder: Folder) -> None:
    """Also when a part of its path is a file."""
    assert "the file does not exist" in folder.problems()[0]


def test_a_file_without_permission_is_said(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the cure. Root may read everything, so the kernel's answer is played."""

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    folder.write("a: 1")
    monkeypatch.setattr("os.open", refuse)
    assert "no permission to read it" in folder.problems()[0]


@pytest.mark.parametrize("name", sorted(set(REFUSED) - {"deeper flow", "deep block", "directive"}))
def test_the_parser_in_python_refuses_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML is not always built with libyaml."""
    monkeypatch.setattr(yaml_reader, "_SafeLoader", yaml.SafeLoader)
    text, _, words = REFUSED[name]
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert words in str(caught.value)


def test_the_parser_in_python_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values and places."""
    text = "a: &a {x: no, y: [1, 'ü']}\nb:\n  <<: *a\n  z: |\n    text\n"
    first = read_yaml("f", text.encode(), Problems("f"))
    monkeypatch.setattr(yaml_reader, "_SafeLoader", yaml.SafeLoader)
    assert read_yaml("f", text.encode(), Problems("f")) == first
