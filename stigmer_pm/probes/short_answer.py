"""Reading the answer that nearly every probe gets: a short one, all of which is there at once. No I/O."""

from __future__ import annotations

import re

# Stricter than HTTP wherever the two could differ: what does not match is left to h11. A status below 200 is followed
# by another one, and what a redirect says has to be looked into.
_HEAD = re.compile(
    rb"HTTP/1\.[01] (?P<status>2[0-9]{2}|4[0-9]{2}|5[0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?\r\n"
    rb"(?:[-!#$%&'*+.^_`|~0-9a-zA-Z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*"
    rb"\r\n"
)
_FRAMING = re.compile(rb"\r\n(?P<name>content-length|transfer-encoding):[\t ]*(?P<value>[^\r]*)", re.IGNORECASE)
# No more digits than the length of what is there at once may have.
_LENGTH = re.compile(rb"[0-9]{1,5}")


def status_of_short_answer(data: bytes) -> int | None:
    """The status of the answer that ``data`` begins with, if it is one that needs no more than a look.

    That is: a final one that leads nowhere else, with a body whose length is told and which is there to its end.
    ``None``: it is another one, or not there as a whole, or not valid.
    """
    head = _HEAD.match(data)
    if head is None:
        return None
    framing = _FRAMING.findall(data, 0, head.end())
    if len(framing) != 1 or framing[0][0].lower() != b"content-length":
        return None
    length = framing[0][1].rstrip(b"\t ")
    if _LENGTH.fullmatch(length) is None or len(data) - head.end() < int(length):
        return None
    return int(head["status"])
