"""The type of regular expressions."""

from __future__ import annotations

import re

from stigmer_pm.config.fields import JsonSchema, Reader, Text, wrong


class Pattern(Reader):
    """A regular expression of Python's."""

    __slots__ = ()

    def read(self, value: object) -> str:
        """The pattern, which can be compiled."""
        text = Text("a regular expression").read(value)
        try:
            re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise wrong(f"expected a regular expression, found '{text:.60}': {error}") from None
        return text

    def schema(self) -> JsonSchema:
        """A string."""
        return {"type": "string", "minLength": 1}
