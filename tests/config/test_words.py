"""The words of a command."""

from __future__ import annotations

import shlex
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stigmer_pm.config.words import split_words

_TOKENS = st.sampled_from(["a", " ", "'", '"', "\\", "\n", "\t", "\r", "$", "\x0b", "é", "\xa0", "#", ";"])


@settings(max_examples=500, deadline=None, derandomize=True)
@given(tokens=st.lists(_TOKENS, max_size=12))
def test_a_command_is_split_as_a_posix_shell_splits_it(tokens: list[str]) -> None:
    """``shlex`` is the measure; only of a text with two things wrong the two may name another one."""
    text = "".join(tokens)
    try:
        expected = shlex.split(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"^(a quotation mark in it is never closed|it ends in a backslash)$"):
            split_words(text)
        return
    assert list(split_words(text)) == expected


@pytest.mark.parametrize("piece", ["y", "'", '"', "\\", " ", '"\\', "a'b", '"a"', "\\ "])
def test_a_command_of_a_megabyte_does_not_hang_who_reads_it(piece: str) -> None:
    """A long variable, many times, took more than a minute."""
    began = time.process_time()
    for text in (piece * (1_000_000 // len(piece)), '"' + piece * (1_000_000 // len(piece))):
        try:
            split_words(text)
        except ValueError:
            continue
    assert time.process_time() - began < 5
