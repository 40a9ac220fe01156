"""The page about phases is what the machine does."""

from __future__ import annotations

import re

import pytest

from stigmer_pm.core.state import Phase
from tools.phases import PAGE, page


@pytest.mark.slow
def test_the_page_about_phases_is_current() -> None:
    """It is generated from the machine; ``make docs`` makes it so."""
    assert PAGE.read_text(encoding="utf-8") == page(), "stale: run 'make docs'"


def test_every_phase_has_its_meaning_and_its_place_in_the_drawing() -> None:
    """The text about it is found, and it can be got into and out of."""
    text = PAGE.read_text(encoding="utf-8")
    meanings, drawing = text.partition("```mermaid")[0], text.partition("```mermaid")[2].partition("```")[0]
    for phase in Phase:
        assert re.search(rf"^\| [^|]*`{phase.value}`[^|]* \| .{{20,}} \|$", meanings, flags=re.MULTILINE), phase
        assert re.search(rf"--> {phase.value}\b", drawing), phase
        assert re.search(rf"^    {phase.value} -->", drawing, flags=re.MULTILINE), phase
