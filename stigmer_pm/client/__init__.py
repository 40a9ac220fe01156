"""Talking to a supervisor over its socket: finding it, asking it, and following what it tells.

Imports nothing of the supervisor and little of the standard library: ``ps`` pays for every import with its time.
"""

from stigmer_pm.client.documents import (
    ApplyAnswer,
    Change,
    Component,
    ComponentDetails,
    Document,
    EventEntry,
    PsDocument,
    SaidResult,
    Standing,
    Targets,
)
from stigmer_pm.client.errors import ClientError, NoSupervisor, Refused
from stigmer_pm.client.finding import Address, is_locked, read_address
from stigmer_pm.client.requests import Outcome, Progress, Selection, Supervisor

__all__ = [
    "Address",
    "ApplyAnswer",
    "Change",
    "ClientError",
    "Component",
    "ComponentDetails",
    "Document",
    "EventEntry",
    "NoSupervisor",
    "Outcome",
    "Progress",
    "PsDocument",
    "Refused",
    "SaidResult",
    "Selection",
    "Standing",
    "Supervisor",
    "Targets",
    "is_locked",
    "read_address",
]
