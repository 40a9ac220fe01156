"""Hostile files: bytes of no kind, pieces of YAML in any order, real files that somebody has been at, and bombs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import strategies as st

from . import corpus
from .bombs import BOMBS, LONGEST
from .case import FILE, Case
from .values import ENVIRONS, NAMES, TEXTS, VALUES

Draw = st.DrawFn
Path = tuple[str | int, ...]

_TOKENS = st.sampled_from(
    [":", ": ", "- ", "? ", ", ", "{", "}", "[", "]", "&a ", "*a", "<<: ", "<<: *a", "!!int ", "!x ", "!!str ", "#",
     "|\n", ">-\n", "'", '"', "%YAML 1.2\n", "%TAG ! tag:x:\n", "---\n", "...\n", "\n", "\n  ", "\n    ", "\t", " ",
     "\r\n", "~", "\\ud800", '"\\U00110000"', "\x00", "\x85", "\u2028", "\ufeff", "\\x", "@", "`", "|2\n", "!<t:x>",
     "!!"]
)  # fmt: skip
_PIECES = st.one_of(_TOKENS, st.sampled_from(NAMES), st.sampled_from(TEXTS))


# --- real files as text, with a few things changed --------------------------------------------------------------


def _span(draw: Draw, text: str, longest: int) -> tuple[int, int]:
    start = draw(st.integers(0, len(text)))
    return start, draw(st.integers(start, min(len(text), start + longest)))


def _replace(draw: Draw, text: str) -> str:
    start, end = _span(draw, text, 30)
    return text[:start] + "".join(draw(st.lists(_PIECES, max_size=3))) + text[end:]


def _repeat(draw: Draw, text: str) -> str:
    start, end = _span(draw, text, 200)
    room = max(0, LONGEST - len(text)) // max(1, end - start)
    return (
        text[:start]
        + text[start:end] * draw(st.sampled_from([2, 3, 10, 100, 10**6]).map(lambda n: min(n, room)))
        + (text[end:])
    )


def _swap(draw: Draw, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    one, two = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines[one], lines[two] = lines[two], lines[one]
    return "".join(lines)


def _indent(draw: Draw, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = draw(st.integers(0, len(lines) - 1))
    lines[at] = draw(st.sampled_from([" ", "  ", "\t", "- ", "? ", "#"])) + lines[at]
    return "".join(lines)


def _cut(draw: Draw, text: str) -> str:
    return text[: draw(st.integers(0, len(text)))]


def _splice(draw: Draw, text: str) -> str:
    other = draw(st.sampled_from(corpus.texts()))
    return text[: draw(st.integers(0, len(text)))] + other[draw(st.integers(0, len(other))) :]


def _end_lines(draw: Draw, text: str) -> str:
    return text.replace("\n", draw(st.sampled_from(["\r\n", "\r", "\n\n", "\u2028", "\x85"])))


_EDITS: list[Callable[[Draw, str], str]] = [
    _replace,
    _replace,
    _replace,
    _repeat,
    _swap,
    _indent,
    _cut,
    _splice,
    _end_lines,
]


@st.composite
def edited_texts(draw: Draw) -> str:
    """A real file after one to four edits that no editor would have made."""
    text = draw(st.sampled_from(corpus.texts()))
    for _ in range(draw(st.integers(1, 4))):
        text = draw(st.sampled_from(_EDITS))(draw, text)
    return text[: 2 * LONGEST]


# --- real files as documents, with a few values changed ---------------------------------------------------------


def _paths(tree: Any, path: Path = ()) -> list[Path]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(found for key, value in items for found in _paths(value, (*path, key)))]


def _at(tree: Any, path: Path) -> Any:
    for part in path:
        tree = tree[part]
    return tree


def _put(tree: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    _at(tree, path[:-1])[path[-1]] = value
    return tree


def _put_any(draw: Draw, tree: Any, path: Path) -> Any:
    return _put(tree, path, copy.deepcopy(draw(VALUES)))


def _take_away(draw: Draw, tree: Any, path: Path) -> Any:
    if path:
        del _at(tree, path[:-1])[path[-1]]
    return tree


def _add_key(draw: Draw, tree: Any, path: Path) -> Any:
    found = _at(tree, path)
    if isinstance(found, dict):
        found[draw(st.sampled_from(NAMES))] = copy.deepcopy(draw(VALUES))
    return tree


def _rename(draw: Draw, tree: Any, path: Path) -> Any:
    found = _at(tree, path[:-1])
    if path and isinstance(found, dict):
        found[draw(st.sampled_from(NAMES))] = found.pop(path[-1])
    return tree


def _graft(draw: Draw, tree: Any, path: Path) -> Any:
    other = draw(st.sampled_from(corpus.trees()))
    return _put(tree, path, copy.deepcopy(_at(other, draw(st.sampled_from(_paths(other))))))


def _multiply(draw: Draw, tree: Any, path: Path) -> Any:
    found, times = _at(tree, path), draw(st.sampled_from([2, 10, 100, 1000]))
    if isinstance(found, list):
        return _put(tree, path, found * times)
    if isinstance(found, dict):
        return _put(tree, path, {f"{key}{n or ''}": value for key, value in found.items() for n in range(times)})
    return _put(tree, path, [found] * times)


def _bury(draw: Draw, tree: Any, path: Path) -> Any:
    found = _at(tree, path)
    for _ in range(draw(st.sampled_from([1, 2, 60, 70, 400]))):
        found = [found] if draw(st.booleans()) else {"a": found}
    return _put(tree, path, found)


_CHANGES: list[Callable[[Draw, Any, Path], Any]] = [
    _put_any, _put_any, _put_any, _take_away, _add_key, _add_key, _rename, _graft, _multiply, _bury
]  # fmt: skip


@st.composite
def changed_documents(draw: Draw) -> str:
    """A real document after one to three changes, written as YAML or JSON."""
    tree = copy.deepcopy(draw(st.sampled_from(corpus.trees())))
    for _ in range(draw(st.integers(1, 3))):
        tree = draw(st.sampled_from(_CHANGES))(draw, tree, draw(st.sampled_from(_paths(tree))))
    return _written(draw, tree)[: 2 * LONGEST]


def _written(draw: Draw, tree: Any) -> str:
    if draw(st.booleans()):
        return json.dumps(tree, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 2])), default=str)
    try:
        return yaml.safe_dump(tree, default_flow_style=draw(st.sampled_from([None, True, False])), sort_keys=False)
    except (yaml.YAMLError, RecursionError):
        return json.dumps(tree, default=str)


# --- cases ------------------------------------------------------------------------------------------------------

_ENCODINGS = st.sampled_from(["utf-8"] * 12 + ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])


@st.composite
def _encoded(draw: Draw, texts: st.SearchStrategy[str]) -> bytes:
    text, encoding = draw(texts), draw(_ENCODINGS)
    errors = "surrogatepass" if encoding.startswith("utf") else "replace"
    content = text.encode(encoding, errors)
    if content and draw(st.integers(0, 15)) == 15:
        at = draw(st.integers(0, len(content) - 1))
        content = content[:at] + draw(st.binary(min_size=1, max_size=2)) + content[at + 1 :]
    return content


FILES: st.SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=300),
    _encoded(st.lists(_PIECES, max_size=40).map("".join)),
    _encoded(
        st.tuples(_PIECES, st.integers(1, LONGEST)).map(lambda drawn: drawn[0] * (drawn[1] // (len(drawn[0]) + 1)))
    ),
    _encoded(edited_texts()),
    _encoded(edited_texts()),
    _encoded(changed_documents()),
    _encoded(changed_documents()),
    _encoded(changed_documents()),
    _encoded(BOMBS),
)


@st.composite
def _env_text(draw: Draw) -> str:
    text = draw(st.sampled_from(corpus.env_texts()))
    for _ in range(draw(st.integers(0, 3))):
        text = draw(st.sampled_from([_replace, _repeat, _swap, _cut]))(draw, text)
    return text


_ENV_TOKENS = st.sampled_from(
    ["A", "B", "=", "export ", "'", '"', "\\", "\n", "\r", " ", "\t", "#", " #", "${A}", "${A:-", "${", "}", "\\n", "x",
     "é", "\x00", "\u2028", "$A", "=x\n", "A=1\n", "'''", "`", ";"]
)  # fmt: skip
#: Files of variables.
ENV_FILES: st.SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=200),
    _encoded(st.lists(_ENV_TOKENS, max_size=30).map("".join)),
    _encoded(_env_text()),
    _encoded(st.tuples(_ENV_TOKENS, st.sampled_from([10, 1000, 20000])).map(lambda drawn: "A=" + drawn[0] * drawn[1])),
)


@st.composite
def cases(draw: Draw) -> Case:
    """A project; most have no file of variables, or a harmless one."""
    files = {FILE: draw(FILES)}
    for name in (".env", "extra.env"):
        kind = draw(st.integers(0, 7))
        if kind == 0:
            files[name] = draw(ENV_FILES)
        elif kind < 5:
            files[name] = b"A=1\nPORT=80\n"
    return Case(files, draw(ENVIRONS))
