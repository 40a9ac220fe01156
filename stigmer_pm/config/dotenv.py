"""Files of variables in dotenv format. python-dotenv parses; what it would take from ``os.environ`` is passed in."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping

from dotenv.parser import Binding, parse_stream
from dotenv.variables import Variable, parse_variables

from stigmer_pm.config.file_text import decode
from stigmer_pm.config.problems import Problems


def parse_dotenv(file: str, content: bytes, known: Mapping[str, str], problems: Problems) -> dict[str, str | None]:
    """The variables of a file, in its order; ``None`` for a name without ``=``.

    ``${NAME}`` and ``${NAME:-default}`` in a value that isn't in single quotes are filled in, from ``known`` and then
    from the lines above. Lines that can't be read are noted in ``problems``.

    Raises:
        ConfigError: it is no text.
    """
    found: dict[str, str | None] = {}
    for binding in parse_stream(io.StringIO(decode(file, content))):
        line = _line(binding)
        if binding.error:
            text = binding.original.string.strip().split("\n")[0]
            words = f"expected NAME=VALUE or a comment, found {len(text)} characters that are neither"
            problems.add((), line, 1, words, file=file)
        elif binding.key is not None:
            if not binding.key:
                problems.add((), line, 1, "expected the name of a variable before '='", file=file)
                continue
            try:
                found[binding.key] = _value(binding, known, found)
            except KeyError as error:
                words = f"the variable '{error.args[0]}' is not set; set it, give it a default (${{NAME:-value}}), "
                problems.add((), line, 1, f"{words}or put the value in single quotes", file=file)
    return found


def _line(binding: Binding) -> int:
    """The line of the name: the parser counts the empty lines above as part of it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _value(binding: Binding, known: Mapping[str, str], above: Mapping[str, str | None]) -> str | None:
    value = binding.value
    if value is None or "${" not in value or binding.original.string.partition("=")[2].lstrip().startswith("'"):
        return value
    return "".join(_atoms(value, known, above))


def _atoms(value: str, known: Mapping[str, str], above: Mapping[str, str | None]) -> Iterator[str]:
    for atom in parse_variables(value):
        if not isinstance(atom, Variable):
            yield atom.resolve({})
            continue
        found = known.get(atom.name, above.get(atom.name))
        if found is None and atom.default is None:
            raise KeyError(atom.name)
        yield found or atom.default or ""
