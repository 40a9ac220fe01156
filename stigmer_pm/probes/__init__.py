"""One attempt of a probe: Kubernetes' handlers on asyncio, and nothing about when or how often.

The rules are the kubelet's, with three deviations, all on the side of saying what is wrong with the component and
not with the prober: a command that cannot be started is a failure, a body that stalls or breaks off is a failure
(the kubelet discards both, so that such a component never fails), and an attempt that could not be made because the
supervisor itself has no file descriptor left is discarded (the kubelet counts it against the component).

Importing this package is cheap: each handler is imported when the first probe of its type runs.
"""

from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes.probe import DeclaredProbe, HealthProbe
from stigmer_pm.probes.result import CheckResult
from stigmer_pm.probes.runner import HANDLERS, Handler, ProbeContext, run_check
from stigmer_pm.probes.spawner import ProbeChild, Spawner
from stigmer_pm.probes.taken import is_answered

__all__ = [
    "HANDLERS",
    "CheckResult",
    "DeclaredProbe",
    "Handler",
    "HealthProbe",
    "Outcome",
    "ProbeChild",
    "ProbeContext",
    "Spawner",
    "is_answered",
    "run_check",
]
