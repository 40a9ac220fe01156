"""Sequence cases: one instance, step by step, through the real core."""

from __future__ import annotations

import copy

from .core_driver import KINDS, OUTCOMES, POLICIES, Case, Driver, component, probes_of


def run_sequence(case: Case) -> list[str]:
    """What differs from the case; nothing when it passes."""
    spec = component(probes_of(case["probes"]), restart=POLICIES[case["restartPolicy"]], max_restarts=None)
    driver = Driver(spec)
    if case["steps"][0].get("event") != "instance_started":
        driver.begin_run()
    problems: list[str] = []
    for number, step in enumerate(case["steps"]):
        found = _carry_out(driver, step)
        problems += [f"step {number}: {words}" for words in _differences(step, found)]
    return problems


def _carry_out(driver: Driver, step: Case) -> dict[str, bool]:
    was_killed = driver.is_killed_by_probe
    executed = True
    restart = False
    match step.get("event"):
        case "instance_started":
            driver.begin_run()
        case "instance_exited":
            driver.end_run(step.get("code", 0))
            restart = driver.is_restarted
        case "stop_requested":
            driver.stop()
        case None:
            executed = driver.attempt(KINDS[step["probe"]], OUTCOMES[step["outcome"]])
        case other:
            raise ValueError(f"no such event: {other}")
    kill = driver.is_killed_by_probe and not was_killed
    return {
        "executed": executed,
        "started": driver.is_started,
        "ready": driver.is_ready,
        "kill": kill,
        "restart": restart or (kill and _would_restart(driver)),
    }


def _would_restart(driver: Driver) -> bool:
    """What follows once the program has ended, whatever its exit status: tried on a copy, for the core is pure."""
    restarts = set()
    for code in (0, 1, 137, 143):
        twin = copy.deepcopy(driver)
        twin.end_run(code)
        restarts.add(twin.is_restarted)
    if len(restarts) != 1:
        raise AssertionError("whether a probe's kill is followed by a restart depends on the exit status")
    return restarts.pop()


def _differences(step: Case, found: dict[str, bool]) -> list[str]:
    expected = {"executed": True} if "probe" in step else {}
    expected |= {key: step[key] for key in found if key in step}
    words = []
    for key, value in expected.items():
        # A case that is marked as a quirk of the kubelet says what is better, and what the kubelet does.
        if found[key] not in (value, step.get(f"k8s_{key}", value)):
            words.append(f"{key} is {found[key]}, expected {value}")
    return words
