"""What a supervisor is started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stigmer_pm.core.plan import Scope
from stigmer_pm.spec import ProjectSpec


@dataclass(frozen=True, slots=True)
class Order:
    """The resolved file, what of it to run, and the environment beneath it.

    Without a spec it finds again what an earlier one ran, and goes on with what is applied. One that ``prefers_record``
    does so whenever something is on record that may still run, and applies the file otherwise.
    """

    state_dir: str
    file: str
    environment: Mapping[str, str]
    spec: ProjectSpec | None = None
    scope: Scope = field(default_factory=Scope)
    prefers_record: bool = False
