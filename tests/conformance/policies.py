"""The matrix of systemd's ``Restart=``: those of its policies that exist here decide as they do there."""

from __future__ import annotations

from stigmer_pm.core.probing import Outcome
from stigmer_pm.spec import ProbeKind, Probes, ProbeSpec, RestartPolicy, TcpCheck

from .core_driver import Case, Driver, component

_POLICIES = {"no": RestartPolicy.NEVER, "always": RestartPolicy.ALWAYS, "on-failure": RestartPolicy.ON_FAILURE}
_ABORT = 128 + 6


def run_policy(case: Case) -> list[str] | None:
    """What differs from a row of the matrix; ``None`` for a policy that does not exist here."""
    policy = _POLICIES.get(case["id"])
    if policy is None:
        return None
    found = {cause: _is_restarted(policy, cause) for cause in ("clean", "exit_code", "signal", "timeout", "watchdog")}
    return [f"after {cause}: {found[cause]}, expected {case[cause]}" for cause in found if found[cause] != case[cause]]


def _is_restarted(policy: RestartPolicy, cause: str) -> bool:
    """systemd's start timeout is a failed startup probe here, and its watchdog a failed liveness probe."""
    startup = ProbeSpec(ProbeKind.STARTUP, tcp=TcpCheck(1), failure_threshold=1) if cause == "timeout" else None
    liveness = ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(1), failure_threshold=1) if cause == "watchdog" else None
    driver = Driver(component(Probes(startup=startup, liveness=liveness), restart=policy))
    driver.begin_run()
    if startup is not None:
        driver.attempt(ProbeKind.STARTUP, Outcome.FAILURE)
    if liveness is not None:
        driver.attempt(ProbeKind.LIVENESS, Outcome.FAILURE)
    driver.end_run({"exit_code": 1, "signal": _ABORT}.get(cause, 0))
    return driver.is_restarted
