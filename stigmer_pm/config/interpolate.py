"""Variables in string values, as Compose has them; an unset one without a default is an error.

``$VAR`` ``${VAR}`` ``${VAR:-default}`` ``${VAR-default}`` ``${VAR:?message}`` ``${VAR?message}``
``${VAR:+alternative}`` ``${VAR+alternative}``, nested; ``$$`` is a dollar sign. A ``$`` that begins none of these
stays as it is (``$(date)``, ``$1``, ``${VAR%.txt}``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_BEGIN = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(:?[-?+]|\}))", re.ASCII)
_NEXT = re.compile(r"\$\$|\$\{|\}")
# Nobody nests defaults deeper by hand, and each level costs stack.
_DEEPEST = 20
# What the values of variables may come to: a variable can't exceed 128 KiB (Linux: MAX_ARG_STRLEN), and nesting
# doesn't multiply, so this only stops a file that repeats a long one without end.
_LONGEST = 1 << 20


class InterpolationError(ValueError):
    """A text can't be filled in; the message says what to do."""


def interpolate(text: str, variables: Mapping[str, str], depth: int = 0) -> str:
    """``text`` with its variables filled in.

    Raises:
        InterpolationError: a variable is not set, or a required one is missing.
    """
    if depth > _DEEPEST:
        raise InterpolationError(f"variables are nested more than {_DEEPEST} levels deep")
    closing = _closing_braces(text)
    parts: list[str] = []
    position = 0
    while True:
        found = _BEGIN.search(text, position)
        if found is None:
            parts.append(text[position:])
            break
        parts.append(text[position : found.start()])
        value, position = _replace(text, found, closing.get(found.start()), variables, depth)
        parts.append(value)
    result = "".join(parts)
    if len(result) > _LONGEST:
        raise InterpolationError("the value is longer than 1 MiB once its variables are filled in")
    return result


def _replace(
    text: str, found: re.Match[str], end: int | None, variables: Mapping[str, str], depth: int
) -> tuple[str, int]:
    """What stands for the match, and where to go on."""
    dollar, bare, name, operator = found.groups()
    if dollar:
        return "$", found.end()
    if bare:
        return _value(bare, variables), found.end()
    if operator == "}":
        return _value(name, variables), found.end()
    if end is None:
        return "$", found.start() + 1
    return _with_operator(name, operator, text[found.end() : end], variables, depth), end + 1


def _closing_braces(text: str) -> dict[int, int]:
    """Where each ``${`` ends, in one pass: looking for the end of each anew takes for ever on a file made for that."""
    found: dict[int, int] = {}
    is_open: list[int] = []
    for token in _NEXT.finditer(text):
        if token[0] == "${":
            is_open.append(token.start())
        elif token[0] == "}" and is_open:
            found[is_open.pop()] = token.start()
    return found


def _with_operator(name: str, operator: str, word: str, variables: Mapping[str, str], depth: int) -> str:
    value = variables.get(name)
    is_there = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("+"):
        return interpolate(word, variables, depth + 1) if is_there else ""
    if is_there and value is not None:
        return value
    if operator.endswith("-"):
        return interpolate(word, variables, depth + 1)
    why = "is empty" if value is not None else "is not set"
    message = interpolate(word, variables, depth + 1)
    raise InterpolationError(f"the variable '{name}' {why}, and is required{f': {message}' if message else ''}")


def _value(name: str, variables: Mapping[str, str]) -> str:
    value = variables.get(name)
    if value is None:
        raise InterpolationError(
            f"the variable '{name}' is not set; set it, give it a default (${{{name}:-value}}), "
            f"or write $${name} for a dollar sign"
        )
    return value
