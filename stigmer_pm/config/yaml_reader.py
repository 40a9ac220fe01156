"""YAML 1.2 to nodes with places: core schema, safe, one document, aliases bounded, duplicate keys refused.

Built on PyYAML's events and not on its composer, for that recurses (a deep file would exhaust the stack) and resolves
the types of YAML 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from stigmer_pm.config.errors import ConfigError, Path, Problem, path_text, printable
from stigmer_pm.config.file_text import decode
from stigmer_pm.config.nodes import Entry, MappingNode, Node, Scalar, ScalarValue, SequenceNode, size_of
from stigmer_pm.config.problems import Problems
from stigmer_pm.config.yaml_scalars import resolve_plain

_SafeLoader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is not in every build of PyYAML

# The deepest field of the format is at level 9. What is deeper is a mistake or an attack.
DEEPEST = 64
# Values that aliases may add to those written. 5000 components that merge 40 fields each come to 200 000; a "billion
# laughs" passes it at its sixth line.
MOST_ALIASED = 250_000

# Values that are written in a file: about 15 000 components. Each takes some 200 bytes of memory, and two characters of
# the file are enough for one.
MOST_VALUES = 500_000

# Halves of characters of UTF-16. libyaml refuses them in "\ud800"; PyYAML's own scanner lets them through, and no file
# or process can take them.
_SURROGATE = re.compile("[\ud800-\udfff]")

_STANDARD_TAG = "tag:yaml.org,2002:"
_SCALAR_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "null": type(None),
}


def read_yaml(file: str, content: bytes, problems: Problems) -> MappingNode:
    """The document in ``content``. Duplicate keys and unknown tags are noted in ``problems``.

    Raises:
        ConfigError: it can't be read to its end as one YAML document with a mapping at the top.
    """
    builder = _Builder(file, problems)
    text = decode(file, content)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.YAMLError as error:
        raise ConfigError([*problems.error().problems, _yaml_problem(file, text, error)]) from None
    return builder.document()


def _events(text: str) -> Iterator[yaml.Event]:
    loader = _SafeLoader(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    except (ValueError, OverflowError) as error:
        # PyYAML's own scanner, on "\U00110000" and on "%YAML 1.999…": it converts first and checks never.
        raise yaml.MarkedYAMLError(problem=str(error), problem_mark=loader.get_mark()) from None
    finally:
        loader.dispose()


def _yaml_problem(file: str, text: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    words = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    context, began = getattr(error, "context", None), getattr(error, "context_mark", None)
    if context:
        words += f" ({context}{f' that begins in line {began.line + 1}' if began else ''})"
    before = "".join(text.split("\n")[mark.line : mark.line + 1])[: mark.column + 1] if mark else ""
    if "\t" in before:
        words += "; indent with spaces, not with tabs"
    elif "${" in before and context and "flow" in context:
        words += "; inside {...} and [...] put a value with ${...} in quotes"
    return Problem("", file, line, column, printable(f"cannot read as YAML: {words}"))


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read."""

    is_mapping: bool
    line: int
    column: int
    anchor: str | None
    entries: dict[str, Entry] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    merged: list[MappingNode] = field(default_factory=list)
    merged_at: int | None = None
    key: Scalar | None = None
    size: int = 1
    depth: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an alias stands for, how many values that is with its own aliases expanded, and how deep."""

    node: Node
    size: int
    depth: int


class _Builder:
    """Puts nodes together from events, without recursion."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored | None] = {}  # None: is being read
        self._aliased = 0
        self._written = 0
        self._root: Node | None = None
        self._is_begun = False

    def document(self) -> MappingNode:
        """What was read."""
        root = self._root
        if root is None or (isinstance(root, Scalar) and root.value is None):
            raise self._error(1, 1, "the file is empty; 'stigmer-pm init' in another folder shows what belongs in it")
        if not isinstance(root, MappingNode):
            kind = "a list" if isinstance(root, SequenceNode) else "a single value"
            raise self._error(root.line, root.column, f"expected a mapping with 'components' at the top, found {kind}")
        return root

    def take(self, event: yaml.Event) -> None:
        """The next event."""
        if isinstance(event, yaml.ScalarEvent):
            scalar = self._scalar(event)
            size = size_of(scalar)
            if event.anchor:
                self._anchors[event.anchor] = _Anchored(scalar, size, 0)
            self._put(scalar, size, 0)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(event, "map")
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(event, "seq")
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            if self._is_begun:
                line, column = _place(event)
                raise self._error(line, column, "expected one document, found a second one; remove it and its '---'")
            self._is_begun = True

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        line, column = _place(event)
        text: str = event.value
        is_plain = not event.style
        if event.style == '"' and _SURROGATE.search(text):
            self._problem(line, column, "expected characters, found half of one of UTF-16; write \\U and eight digits")
            text = printable(text)
        tag = event.tag
        if tag is None:
            return Scalar(text, resolve_plain(text) if is_plain else text, line, column, False, is_plain)
        return Scalar(text, self._tagged(tag, text, line, column), line, column, False, is_plain)

    def _tagged(self, tag: str, text: str, line: int, column: int) -> ScalarValue:
        name = tag.removeprefix(_STANDARD_TAG)
        if tag == "!" or name == "str":
            return text
        if name not in _SCALAR_TYPES:
            self._problem(line, column, f"the tag '{tag}' is not supported; remove it")
            return text
        value = resolve_plain(text)
        if not isinstance(value, _SCALAR_TYPES[name]) or (name == "int" and isinstance(value, bool)):
            self._problem(line, column, f"expected {name} as its tag says, found '{text:.60}'")
        return value

    def _open(self, event: yaml.CollectionStartEvent, kind: str) -> None:
        line, column = _place(event)
        if event.tag not in (None, "!", _STANDARD_TAG + kind):
            self._problem(line, column, f"the tag '{event.tag}' is not supported; remove it")
        if self._expects_key():
            raise self._error(line, column, "expected a name as the key, found a mapping or list")
        if len(self._stack) >= DEEPEST:
            raise self._error(line, column, f"nested more than {DEEPEST} levels deep")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(kind == "map", line, column, event.anchor))

    def _close(self) -> None:
        frame = self._stack.pop()
        node: Node
        if frame.is_mapping:
            for base in frame.merged:
                for key, entry in base.entries.items():
                    frame.entries.setdefault(key, entry)
            node = MappingNode(frame.entries, frame.line, frame.column)
        else:
            node = SequenceNode(tuple(frame.items), frame.line, frame.column)
        if frame.anchor:
            self._anchors[frame.anchor] = _Anchored(node, frame.size, frame.depth)
        self._put(node, frame.size, frame.depth)

    def _alias(self, event: yaml.AliasEvent) -> None:
        line, column = _place(event)
        name = event.anchor
        if name not in self._anchors:
            raise self._error(line, column, f"no anchor '&{name}' stands above the alias '*{name}'")
        found = self._anchors[name]
        if found is None:
            raise self._error(line, column, f"the alias '*{name}' stands inside of what it means, so it never ends")
        # A mapping that is merged has its keys at the level of the one that it is merged into, so this errs to safety.
        if len(self._stack) + found.depth > DEEPEST:
            raise self._error(line, column, f"nested more than {DEEPEST} levels deep through the alias '*{name}'")
        if found.size > 1:
            self._aliased += found.size
        if self._aliased > MOST_ALIASED:
            words = f"the aliases of the file stand for more than {MOST_ALIASED} values; write them out, or use fewer"
            raise self._error(line, column, words)
        if self._expects_key() and not isinstance(found.node, Scalar):
            raise self._error(line, column, "expected a name as the key, found an alias of something else")
        self._put(found.node, found.size, found.depth)

    def _put(self, node: Node, size: int, depth: int) -> None:
        if not self._stack:
            self._root = node
            return
        self._written += 1
        if self._written > MOST_VALUES:
            raise self._error(node.line, node.column, f"the file holds more than {MOST_VALUES} values")
        frame = self._stack[-1]
        frame.size += size
        if depth >= frame.depth:
            frame.depth = depth + 1
        if not frame.is_mapping:
            frame.items.append(node)
        elif frame.key is None:
            assert isinstance(node, Scalar), "collections and their aliases are refused as keys before"
            frame.key = node
        else:
            key, frame.key = frame.key, None
            self._put_entry(frame, key, node)

    def _put_entry(self, frame: _Frame, key: Scalar, node: Node) -> None:
        if key.text == "<<" and key.is_plain:
            if frame.merged_at is not None:
                words = f"'<<' stands here for the second time; the first is in line {frame.merged_at}; it takes a list"
                self._problems.add((*self._path(), key.text), key.line, key.column, words)
            frame.merged_at = key.line
            self._merge(frame, node)
        elif key.text in frame.entries:
            first = frame.entries[key.text]
            words = f"'{key.text:.60}' stands here for the second time; the first is in line {first.line}"
            self._problems.add((*self._path(), key.text), key.line, key.column, words)
        else:
            frame.entries[key.text] = Entry(node, key.line, key.column)

    def _merge(self, frame: _Frame, node: Node) -> None:
        for base in node.items if isinstance(node, SequenceNode) else (node,):
            if isinstance(base, MappingNode):
                frame.merged.append(base)
            else:
                self._problem(base.line, base.column, "expected a mapping after '<<', or a list of them")

    def _expects_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].is_mapping and self._stack[-1].key is None

    def _path(self) -> Path:
        """Where the mapping is that is being read."""
        outer = self._stack[:-1]
        return tuple((frame.key.text if frame.key else "") if frame.is_mapping else len(frame.items) for frame in outer)

    def _problem(self, line: int, column: int, message: str) -> None:
        key = self._stack[-1].key if self._stack else None
        path = (*self._path(), key.text) if key else self._path()
        self._problems.add(path, line, column, message)

    def _error(self, line: int, column: int, message: str) -> ConfigError:
        problem = Problem(path_text(self._path()), self._file, line, column, printable(message))
        found = self._problems.error().problems
        return ConfigError((*found, problem))


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None, "a parser marks every event"
    return mark.line + 1, mark.column + 1
