"""How one attempt of a probe ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What an attempt says about the component.

    A warning counts as success and is reported (Kubernetes: event ProbeWarning). A discarded attempt says nothing:
    it neither feeds nor breaks a run of equal outcomes.
    """

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one attempt, and why in a few words: the answer of a server, the output of a command.

    ``output`` never holds the query, headers or body of an HTTP exchange, since each may hold a secret.
    """

    outcome: Outcome
    output: str
