"""Terminals that write into memory."""

from __future__ import annotations

import io

from stigmer_pm.cli.screen.terminal import Terminal


def terminal(*, is_terminal: bool = False, has_color: bool = False) -> Terminal:
    """A terminal, or a pipe, whose text can be read back from ``out`` and ``err``."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    return Terminal(out, err, is_terminal, is_terminal, has_color)


def written(stream: object) -> str:
    """What was written to a stream of such a terminal."""
    assert isinstance(stream, io.TextIOWrapper)
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
