"""stigmer-pm: a declarative process manager.

What others build on is listed here: a :class:`Component` to hold and a :class:`HealthProbe` to ask, with the values
that they answer in. It is imported when it is asked for, so that the command line pays only for what it uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stigmer_pm.version import __version__

if TYPE_CHECKING:
    from stigmer_pm.client.component import Component, Health, SupervisedComponent
    from stigmer_pm.client.requests import Supervisor
    from stigmer_pm.core.probing import Outcome
    from stigmer_pm.probes.probe import HealthProbe
    from stigmer_pm.probes.result import CheckResult
    from stigmer_pm.statedir import StateDir

__all__ = [
    "CheckResult",
    "Component",
    "Health",
    "HealthProbe",
    "Outcome",
    "StateDir",
    "SupervisedComponent",
    "Supervisor",
    "__version__",
]

_MODULES = {
    "CheckResult": "stigmer_pm.probes.result",
    "Component": "stigmer_pm.client.component",
    "Health": "stigmer_pm.client.component",
    "HealthProbe": "stigmer_pm.probes.probe",
    "Outcome": "stigmer_pm.core.probing",
    "StateDir": "stigmer_pm.statedir",
    "SupervisedComponent": "stigmer_pm.client.component",
    "Supervisor": "stigmer_pm.client.requests",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 (most who import this package want a module of it, not this)

    return getattr(import_module(_MODULES[name]), name)
