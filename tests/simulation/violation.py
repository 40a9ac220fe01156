"""What is raised when something does not hold that always must."""

from __future__ import annotations


class Violation(AssertionError):
    """An invariant does not hold."""
