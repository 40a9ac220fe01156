"""Files of variables in dotenv format. python-dotenv parses; what it would take from ``os.environ`` is passed in."""

from __future__ import annotations

import io
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from dotenv.parser import Binding, parse_stream

from stigmer_pm.config.errors import FileUnreadable
from stigmer_pm.config.file_text import decode
from stigmer_pm.config.problems import Problems

# A process can be given 2 MiB of arguments and variables at most (Linux: a quarter of its stack).
_LARGEST_BYTES = 1 << 20
# What the values may come to once their variables are filled in; lines that double one another pass it at once.
_LONGEST_VALUES = 8 << 20
# python-dotenv looks for a comment after each blank anew, which takes the square of their number.
_MOST_BLANKS = 200

# ``${NAME}`` and ``${NAME:-default}``, as python-dotenv has them; its own pattern takes the square of the number of
# brackets that are not closed. A name has no bound there.
_VARIABLE = re.compile(r"\$\{([^}:]{0,200})(?::-([^}]*))?\}")
_NAME_ALONE = re.compile(r"[^\W\d][\w.-]*")
_BLANKS = re.compile(r"[^\S\r\n]+")


def parse_dotenv(
    file: str,
    content: bytes,
    known: Mapping[str, str],
    problems: Problems,
    before: Mapping[str, str | None] = MappingProxyType({}),
) -> dict[str, str | None]:
    """The variables of a file, in its order; ``None`` for a name without ``=``.

    ``${NAME}`` and ``${NAME:-default}`` in a value that isn't in single quotes are filled in: from ``known``, else from
    the lines above, else from what the files ``before`` this one hold. Lines that can't be read are noted in
    ``problems``.

    Raises:
        ConfigError: it is no text, or too large.
    """
    found: dict[str, str | None] = {}
    variables = ChainMap[str, str | None](dict(known), found, dict(before))
    length = 0
    for binding in parse_stream(io.StringIO(_text(file, content))):
        line = _line(binding)
        words = _why_not(binding)
        if words:
            problems.add((), line, 1, words, file=file)
        elif binding.key is not None:
            try:
                value = found[binding.key] = _value(binding, variables)
            except KeyError as error:
                words = f"the variable '{error.args[0]}' is not set; set it, give it a default (${{NAME:-value}}), "
                problems.add((), line, 1, f"{words}or put the value in single quotes", file=file)
                continue
            length += len(value or "")
            if length > _LONGEST_VALUES:
                words = f"the values of the file are longer than {_LONGEST_VALUES >> 20} MiB"
                problems.add((), line, 1, f"{words} once their variables are filled in", file=file)
                break
    return found


def _text(file: str, content: bytes) -> str:
    if len(content) > _LARGEST_BYTES:
        raise FileUnreadable(file, f"it is larger than {_LARGEST_BYTES >> 20} MiB")
    text = decode(file, content)
    for blanks in _BLANKS.finditer(text):
        count = blanks.end() - blanks.start()
        if count > _MOST_BLANKS:
            before = text[: blanks.start()]
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            words = f"expected at most {_MOST_BLANKS} blanks in a row, found {count}"
            raise FileUnreadable(file, words, line, column)
    return text


def _why_not(binding: Binding) -> str | None:
    """What is wrong with a line. Its text isn't shown, for it may hold a secret."""
    text = binding.original.string.strip().split("\n")[0]
    is_no_name = binding.key is not None and binding.value is None and not _NAME_ALONE.fullmatch(binding.key)
    if binding.key is not None and "=" in binding.key:
        return "expected NAME=VALUE, found a name with '=' in it; put quotation marks around the value alone"
    if binding.error or is_no_name:
        return f"expected NAME=VALUE or a comment, found {len(text)} characters that are neither"
    return None


def _line(binding: Binding) -> int:
    """The line of the name: the parser counts the empty lines above as part of it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _value(binding: Binding, variables: Mapping[str, str | None]) -> str | None:
    value = binding.value
    if value is None or "${" not in value or binding.original.string.partition("=")[2].lstrip().startswith("'"):
        return value
    # What comes after the last bracket that is closed has no variable in it.
    filled, bracket, rest = value.rpartition("}")
    return "".join((*_parts(filled + bracket, variables), rest))


def _parts(value: str, variables: Mapping[str, str | None]) -> Iterator[str]:
    position = 0
    for variable in _VARIABLE.finditer(value):
        yield value[position : variable.start()]
        position = variable.end()
        name, default = variable.groups()
        found = variables.get(name)
        if found is None and default is None:
            raise KeyError(name)
        yield found or default or ""
    yield value[position:]
