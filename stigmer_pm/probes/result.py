"""How one attempt of a probe ended."""

from __future__ import annotations

from dataclasses import dataclass

from stigmer_pm.core.probing import Outcome


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one attempt, and why in a few words: the answer of a server, the output of a command.

    ``output`` never holds the query, headers or body of an HTTP exchange, since each may hold a secret.
    """

    outcome: Outcome
    output: str
