"""Talking to a supervisor over its socket: finding it, asking it, and following what it tells.

Imports nothing of the supervisor and little of the standard library: ``ps`` pays for every import with its time.
"""

from stigmer_pm.client.component import Component, Health, SupervisedComponent
from stigmer_pm.client.documents import (
    ApplyAnswer,
    Change,
    ComponentDetails,
    ComponentEntry,
    Document,
    EventEntry,
    EventsAnswer,
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
    "ComponentEntry",
    "Document",
    "EventEntry",
    "EventsAnswer",
    "Health",
    "NoSupervisor",
    "Outcome",
    "Progress",
    "PsDocument",
    "Refused",
    "SaidResult",
    "Selection",
    "Standing",
    "SupervisedComponent",
    "Supervisor",
    "Targets",
    "is_locked",
    "read_address",
]
