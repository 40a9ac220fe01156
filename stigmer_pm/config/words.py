"""A command's text to its words, as a POSIX shell splits it, in a time that grows with its length.

``shlex.split`` does the same, and takes the square of the length of a word: a minute for one of a megabyte.
"""

from __future__ import annotations

import re

_BLANKS = " \t\r\n"
# What a word is put together from: plain characters, one that is escaped, and what stands in quotation marks. The last
# two match what is never closed. "++" and "*+" take what they can and give nothing back.
_PART = re.compile(
    rf"""([^{_BLANKS}'"\\]+)|\\(.)|'([^']*)'|"((?:[^"\\]++|\\.)*+)"|([{_BLANKS}]+)|(['"])|(\\)""", re.DOTALL
)
# In double quotes a backslash escapes these two, and is an ordinary character before all others.
_ESCAPED = re.compile(r"\\([\"\\])")


def split_words(text: str) -> tuple[str, ...]:
    """The words of ``text``; no variable, no pattern and no operator means anything.

    Raises:
        ValueError: a quotation mark is not closed, or it ends in a backslash; the message says which.
    """
    words: list[str] = []
    parts: list[str] | None = None  # of the word that is being read
    for part in _PART.finditer(text):
        plain, escaped, single, double, blanks, mark, backslash = part.groups()
        if blanks is not None:
            if parts is not None:
                words.append("".join(parts))
            parts = None
            continue
        if backslash:
            raise ValueError("it ends in a backslash")
        if mark:
            raise ValueError("a quotation mark in it is never closed")
        if parts is None:
            parts = []
        parts.append(plain or escaped or single or _ESCAPED.sub(r"\1", double or ""))
    if parts is not None:
        words.append("".join(parts))
    return tuple(words)
