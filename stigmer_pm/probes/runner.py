"""From a probe to the handler that answers it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes.reason import reason
from stigmer_pm.probes.result import CheckResult
from stigmer_pm.probes.shortage import is_own_shortage
from stigmer_pm.probes.spawner import Spawner
from stigmer_pm.spec import ExecCheck, GrpcCheck, HttpCheck, LogCheck, PluginCheck, ProbeSpec, TcpCheck

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProbeContext:
    """What the attempts of a probe have from its component, for as long as one run lasts.

    Attributes:
        environment, working_dir, user, group: those of the component's process; the environment as a whole.
        spawner: starts the commands of exec probes.
        log, log_from: the component's log, and where this run's output begins in it.
        memory: what a handler keeps from one attempt to the next.
    """

    environment: Mapping[str, str]
    working_dir: str
    spawner: Spawner
    user: str | None = None
    group: str | None = None
    log: str = ""
    log_from: int = 0
    memory: dict[str, object] = field(default_factory=dict)


Handler = Callable[[Any, float, ProbeContext], Awaitable[CheckResult]]
"""One attempt: the handler's own fields, the timeout in seconds, the component's surroundings."""


# The handlers are imported by their first attempt: h11 and urllib cost memory and 25 ms, which a project whose probes
# are all commands, or that has none, need not pay.


async def _http(check: HttpCheck, timeout: float, _context: ProbeContext) -> CheckResult:
    from stigmer_pm.probes.http import check_http

    return await check_http(check, timeout)


async def _tcp(check: TcpCheck, timeout: float, _context: ProbeContext) -> CheckResult:
    from stigmer_pm.probes.tcp import check_tcp

    return await check_tcp(check, timeout)


async def _exec(check: ExecCheck, timeout: float, context: ProbeContext) -> CheckResult:
    from stigmer_pm.probes.exec import check_exec

    return await check_exec(
        check,
        timeout,
        environment=context.environment,
        working_dir=context.working_dir,
        spawner=context.spawner,
        user=context.user,
        group=context.group,
    )


async def _grpc(check: GrpcCheck, timeout: float, _context: ProbeContext) -> CheckResult:
    from stigmer_pm.probes.grpc import check_grpc

    return await check_grpc(check, timeout)


async def _log_line(check: LogCheck, timeout: float, context: ProbeContext) -> CheckResult:
    from stigmer_pm.probes.log import check_log

    return await check_log(check, timeout, path=context.log, begin=context.log_from, memory=context.memory)


async def _plugin(check: PluginCheck, timeout: float, context: ProbeContext) -> CheckResult:
    from stigmer_pm.probes.plugins import check_plugin

    return await check_plugin(check, timeout, context)


HANDLERS: dict[str, Handler] = {
    "http": _http,
    "tcp": _tcp,
    "exec": _exec,
    "grpc": _grpc,
    "log": _log_line,
    "plugin": _plugin,
}
"""The handlers by the field of ``ProbeSpec`` that holds their check; ``plugin`` stands for all of other packages."""


def handler_name(probe: ProbeSpec) -> str:
    """What stands in the file as the key of the one handler that ``probe`` has."""
    if probe.plugin is not None:
        return probe.plugin.type
    return next(name for name in HANDLERS if getattr(probe, name, None) is not None)


async def run_check(
    probe: ProbeSpec, context: ProbeContext, *, handlers: Mapping[str, Handler] = HANDLERS
) -> CheckResult:
    """Make one attempt of ``probe``.

    Never raises, but for ``CancelledError``, after which nothing of the attempt is left. An attempt that could not
    be made, for lack of descriptors, processes or memory, or because of a bug in a handler, is discarded.
    """
    for name, handler in handlers.items():
        check = getattr(probe, name, None)
        if check is not None:
            return await _guarded(name, handler, check, probe.timeout, context)
    return CheckResult(Outcome.DISCARDED, "cannot probe: no handler answers for this type of check")


async def _guarded(name: str, handler: Handler, check: object, timeout: float, context: ProbeContext) -> CheckResult:
    try:
        return await handler(check, timeout, context)
    # A handler may be anybody's, and its bug must neither stop the supervisor nor restart a component.
    except Exception as error:  # noqa: BLE001
        if is_own_shortage(error):
            words = reason(error) if isinstance(error, OSError) else str(error)
            return CheckResult(Outcome.DISCARDED, f"cannot make the attempt: {words}")
        _log.exception("cannot make an attempt of a probe: its handler '%s' has a bug", name)
        return CheckResult(Outcome.DISCARDED, f"bug in the handler '{name}': {type(error).__name__}: {error}")
