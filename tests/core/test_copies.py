"""The quick way to copy a frozen value."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from stigmer_pm.core.copies import changer
from stigmer_pm.core.probing import ProbeState, Result
from stigmer_pm.core.state import InstanceState, Run


@pytest.mark.parametrize("value", [InstanceState("web"), Run(3, 1.0), ProbeState(Result.UNKNOWN, 1.0, 2.0)])
def test_a_copy_is_the_one_that_replace_makes(value: Any) -> None:
    """Whatever the field; the original is left as it was."""
    for field in fields(value):
        copy = changer(type(value), field.name)(value, "changed")
        assert copy == replace(value, **{field.name: "changed"})
        assert copy != value
