"""What a plain scalar is under the core schema of YAML 1.2 (chapter 10.3.2): ``no`` and ``22:22`` are strings."""

from __future__ import annotations

import re

from stigmer_pm.config.nodes import ScalarValue

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DECIMAL = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]+", re.ASCII)
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_INFINITY = re.compile(r"[-+]?\.(?:inf|Inf|INF)", re.ASCII)
_NOT_A_NUMBER = frozenset((".nan", ".NaN", ".NAN"))

# Longer ones stay text: no field takes such a number, and Python refuses to convert thousands of digits.
_LONGEST_NUMBER = 100

# The characters that anything but a string can begin with; most scalars are told by this alone.
_BEGINS_NO_STRING = frozenset("~nNtTfF+-.0123456789")


def resolve_plain(text: str) -> ScalarValue:
    """The value of a scalar that stands without quotes."""
    if text and text[0] not in _BEGINS_NO_STRING:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    return _number(text)


def _number(text: str) -> ScalarValue:
    if len(text) > _LONGEST_NUMBER:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float("-inf") if text.startswith("-") else float("inf")
    return float("nan") if text in _NOT_A_NUMBER else text
