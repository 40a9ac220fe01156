"""Backoff cases: how long the next start waits, through the real core, and where other models differ on purpose.

Each model is first transcribed from its documentation, so that a case that contradicts its own model is found. Then
the core, set up as that model, must do the same but for what the table in docs/ says:

* kubelet: the first restart of all is at once; here only the one after a stable run is. So the first run of a case is
  taken as a stable one.
* docker: a run of 10 s or more starts the ladder again at its first step; here a stable run is followed at once, and
  the ladder begins with the next failed run.
* startlimit: systemd counts starts in fixed windows; here the window slides, which refuses no later than that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stigmer_pm.core.state import Phase
from stigmer_pm.spec import Backoff, ComponentSpec, Probes

from .core_driver import Case, Driver, component

_CLOSE = 1e-6
_DOCKER_STABLE, _DOCKER_FIRST, _DOCKER_MAX = 10.0, 0.1, 60.0


def run_backoff(case: Case) -> list[str] | None:
    """What differs from the case; nothing when it passes, ``None`` for a model that is not known here."""
    check = _MODELS.get(case["model"])
    return None if check is None else check(case)


# --- the models -------------------------------------------------------------------------------------------------


def _kubelet(case: Case) -> list[str]:
    base, most, reset_after = min(case["base"], case["max"]), case["max"], case["reset_after"]
    by_the_book: list[float] = []
    step: float | None = None
    for length in case["runs"]:
        if length > reset_after:
            step = None
        by_the_book.append(step or 0.0)
        step = base if step is None else min(2 * step, most)
    spec = _spec(Backoff(base, 2.0, most), min_uptime=reset_after)
    runs = [float(reset_after), *case["runs"][1:]]
    return _compare(case["waits"], by_the_book, "the kubelet's rule") + _compare(
        case["waits"], waits(spec, runs), "here"
    )


def _docker(case: Case) -> list[str]:
    by_the_book: list[float] = []
    ours: list[float] = []
    docker = failed = 0
    for length in case["runs"]:
        docker = 0 if length >= _DOCKER_STABLE else docker
        by_the_book.append(min(_DOCKER_FIRST * 2**docker, _DOCKER_MAX))
        docker += 1
        failed = 0 if length >= _DOCKER_STABLE else failed + 1
        ours.append(min(_DOCKER_FIRST * 2 ** (failed - 1), _DOCKER_MAX) if failed else 0.0)
    spec = _spec(Backoff(_DOCKER_FIRST, 2.0, _DOCKER_MAX), min_uptime=_DOCKER_STABLE)
    return _compare(case["waits"], by_the_book, "Docker's rule") + _compare(ours, waits(spec, case["runs"]), "here")


def _systemd(case: Case) -> list[str]:
    first, most, steps = case["r0"], case["rmax"], case["steps"]
    grows = bool(steps) and most is not None
    factor = (most / first) ** (1 / steps) if grows else 1.0
    spec = _spec(Backoff(first, factor, most if grows else first), min_uptime=1e9)
    return _compare(case["waits"], waits(spec, [0.0] * len(case["waits"])), "here")


def _start_limit(case: Case) -> list[str]:
    interval, burst, starts = case["interval"], case["burst"], case["starts"]
    by_the_book: list[bool] = []
    began: float | None = None
    used = 0
    for at in starts:
        if began is None or at - began > interval:
            began, used = at, 0
        used += 1
        by_the_book.append(used <= burst)
    problems = [] if by_the_book == case["allowed"] else [f"systemd's rule gives {by_the_book}"]
    found = allowed(starts, interval, burst)
    sliding = _sliding(starts, interval, burst)
    return problems + ([] if found == sliding else [f"here {found}, expected {sliding}"])


_MODELS: dict[str, Callable[[Case], list[str]]] = {
    "kubelet": _kubelet,
    "docker": _docker,
    "systemd": _systemd,
    "startlimit": _start_limit,
}


# --- through the core -------------------------------------------------------------------------------------------


def waits(spec: ComponentSpec, runs: Sequence[float]) -> list[float]:
    """The wait between the end of each run and the next start, when every run lasts so long and then crashes."""
    driver = Driver(spec)
    driver.begin_run()
    found = []
    for length in runs:
        driver.now += length
        ended_at = driver.now
        driver.end_run(1)
        driver.begin_run()
        found.append(driver.now - ended_at)
    return found


def allowed(starts: Sequence[float], interval: float, burst: int) -> list[bool]:
    """Which of the starts at these times happen, when every run crashes just in time for the next."""
    limits = component(
        Probes(), min_uptime=1e9, max_restarts=burst - 1, restart_window=float(interval), backoff=Backoff(0.0, 1.0, 0.0)
    )
    driver = Driver(limits)
    driver.now = starts[0]
    driver.begin_run()
    found = [True]
    for at in starts[1:]:
        if found[-1]:
            driver.now = at
            driver.end_run(1)
        found.append(driver.state.phase is not Phase.FAILED)
        if found[-1]:
            driver.begin_run()
    return found


def _sliding(starts: Sequence[float], interval: float, burst: int) -> list[bool]:
    """design.md: give up when ``max_restarts`` restarts of failed runs lie in the window, and one more run failed."""
    found = [True]
    restarts: list[float] = []
    for at in starts[1:]:
        recent = [earlier for earlier in restarts if earlier > at - interval]
        found.append(found[-1] and len(recent) < burst - 1)
        if found[-1]:
            restarts.append(at)
    return found


def _spec(backoff: Backoff, *, min_uptime: float) -> ComponentSpec:
    return component(Probes(), min_uptime=float(min_uptime), max_restarts=None, backoff=backoff)


def _compare(expected: Sequence[float], found: Sequence[float], where: str) -> list[str]:
    if len(expected) == len(found) and all(abs(a - b) < _CLOSE for a, b in zip(expected, found, strict=True)):
        return []
    return [f"{where} waits {[round(wait, 6) for wait in found]}, expected {list(expected)}"]
