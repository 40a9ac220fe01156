"""``up --foreground``: the supervisor in this very process, in front, with the merged logs; also as PID 1."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stigmer_pm.core.reasons import words
from stigmer_pm.core.state import Desired, InstanceState, Phase, RunEnd
from stigmer_pm.logs import Follower, Line
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.home import Busy, Home
from stigmer_pm.supervisor.log import log_to
from stigmer_pm.supervisor.run import internal_error, read_order
from stigmer_pm.supervisor.service import Order, Service
from stigmer_pm.supervisor.store import StoreError

_log = logging.getLogger(__name__)

#: Seconds between looks at the log files. A person doesn't notice it, and it costs nothing that matters in front.
_LOOK = 0.1
#: Seconds of stopping after which it is said what is waited for.
_EXPLAIN_AFTER = 1.0

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Display:
    """How the foreground speaks: ``show`` a line of a component's log, ``say`` a line of its own."""

    show: Callable[[str, bytes], None]
    say: Callable[[str], None]


def run_foreground(
    order: Mapping[str, Any],
    *,
    show: Callable[[str, bytes], None],
    say: Callable[[str], None],
    exit_code_from: str | None,
    exit_on_failure: bool,
) -> int:
    """Supervise in front until interrupted, until the component ``exit_code_from`` has ended, or until all have.

    Returns:
        The exit status: that of ``exit_code_from`` (128+n for a signal); or of a component that was given up on, with
        ``exit_on_failure``; or 130 when interrupted; or 1 when a component failed, else 0.

    Raises:
        Refused: it can't be begun; nothing was started.
    """
    parsed = read_order(order)
    assert parsed.spec is not None, "in front, a file is applied"
    if exit_code_from is not None and parsed.spec.component(exit_code_from) is None:
        raise Refused(f"no component is called '{exit_code_from}' (--exit-code-from)", code="unknown")
    try:
        home = Home(parsed.state_dir)
    except Busy:
        raise Refused(
            "a supervisor already runs this project in the background",
            cure="look on with 'stigmer-pm logs -f', or end it with 'stigmer-pm down' first",
            code="busy",
        ) from None
    try:
        log_to(home.dir.supervisor_log)
        return asyncio.run(_Foreground(home, Display(show, say), exit_code_from, exit_on_failure).run(parsed))
    except StoreError as error:
        raise Refused(str(error), exit_status=1, code="store") from error
    except Refused:
        home.withdraw()
        raise
    except Exception:  # noqa: BLE001 (the top of the supervisor: its traceback goes to its log, never to a user)
        _log.exception("bug in the supervisor: it ends, and what runs goes on")
        raise internal_error(home) from None
    finally:
        home.close()


class _Foreground:
    def __init__(self, home: Home, display: Display, exit_code_from: str | None, exit_on_failure: bool) -> None:
        self._home = home
        self._display = display
        self._exit_code_from = exit_code_from
        self._exit_on_failure = exit_on_failure
        self._interrupts = 0
        self._status: int | None = None

    async def run(self, order: Order) -> int:
        service = Service(self._home, order)
        self._service = service
        follower: asyncio.Task[None] | None = None
        watcher: asyncio.Task[None] | None = None
        try:
            service.handle_signals(interrupt=self._interrupt)
            ends_before = {s.name: s.last_end for s in self._states()}
            # Made before anything is started, so that not even the first line is missed.
            spec = order.spec
            assert spec is not None, "in front, a file is applied"
            self._refuse_one_that_will_not_run(service, spec, order)
            logs = Follower({c.name: c.log for c in spec.components}, 0, self._log_trouble)
            service.begin(order)
            follower = asyncio.create_task(self._follow_logs(logs))
            watcher = asyncio.create_task(self._watch(ends_before))
            await service.open_door()
            await service.ended.wait()
            if service.failure is not None:
                raise service.failure
            status = self._final_status()
        finally:
            for task in (watcher, follower):
                if task is not None:
                    task.cancel()
            await asyncio.gather(*(t for t in (watcher, follower) if t is not None), return_exceptions=True)
            await service.close()
        return status

    def _refuse_one_that_will_not_run(self, service: Service, spec: ProjectSpec, order: Order) -> None:
        """One whose end is waited for must be one that is started."""
        plan = commands.plan_for(service.engine, spec, order.scope)
        if self._exit_code_from is not None and self._exit_code_from not in plan.wanted:
            raise Refused(
                f"component '{self._exit_code_from}' (--exit-code-from) would not be started",
                cure="name it, or choose its profile",
            )

    def _states(self) -> list[InstanceState]:
        return [instance.state for instance in self._service.engine.project]

    # --- interrupts ---------------------------------------------------------------------------------------------

    def _interrupt(self) -> None:
        self._interrupts += 1
        if self._interrupts == 1 and not self._service.is_ending:
            self._display.say("stopping everything in order; Ctrl-C again kills what is left")
            self._service.end()
            asyncio.get_running_loop().call_later(_EXPLAIN_AFTER, self._explain)
            return
        self._display.say("killing what is left")
        self._service.is_ending = True
        self._service.end_or_kill()

    def _explain(self) -> None:
        left = [s for s in self._states() if s.run is not None]
        if left and not self._service.ended.is_set():
            self._display.say(
                "still waiting for " + "; ".join(f"{s.name} ({words(s.reason) or s.phase.value})" for s in left)
            )
            asyncio.get_running_loop().call_later(5 * _EXPLAIN_AFTER, self._explain)

    # --- the end ------------------------------------------------------------------------------------------------

    async def _watch(self, ends_before: Mapping[str, RunEnd | None]) -> None:
        """Say what happens to components, and end when that is asked for or when nothing is left to run."""
        subscription = self._service.engine.feed.subscribe()
        told: dict[str, Phase] = {}
        while True:
            for state in self._states():
                if told.get(state.name) is not state.phase:
                    told[state.name] = state.phase
                    self._tell(state)
            if not self._service.is_ending:
                self._end_if_due()
            await subscription.take()

    def _tell(self, state: InstanceState) -> None:
        if state.phase in (Phase.BACKOFF, Phase.FAILED, Phase.COMPLETED):
            self._display.say(f"{state.name}: {state.phase.value}: {words(state.reason)}")

    def _end_if_due(self) -> None:
        states = self._states()
        ended = [s for s in states if s.phase in (Phase.COMPLETED, Phase.FAILED)]
        for state in ended:
            if state.name == self._exit_code_from:
                self._end(status_of(state.last_end), f"{state.name} has ended; stopping the others")
                return
            if self._exit_on_failure and state.phase is Phase.FAILED:
                self._end(status_of(state.last_end) or 1, f"{state.name} has failed; stopping the others")
                return
        active = [s for s in states if s.desired is Desired.RUNNING and s.phase not in (Phase.COMPLETED, Phase.FAILED)]
        if ended and not active:
            failed = any(s.phase is Phase.FAILED for s in ended)
            self._end(1 if failed else 0, "every component has ended")

    def _end(self, status: int, why: str) -> None:
        self._status = status
        self._display.say(why)
        self._service.end()

    def _final_status(self) -> int:
        if self._status is not None:
            return self._status
        if self._exit_code_from is not None:
            state = next((s for s in self._states() if s.name == self._exit_code_from), None)
            if state is not None and state.last_end is not None:
                return status_of(state.last_end)
        return INTERRUPTED if self._interrupts else 0

    # --- logs ---------------------------------------------------------------------------------------------------

    async def _follow_logs(self, follower: Follower) -> None:
        """Show what components write, until this is cancelled; what has been written by then is shown as well."""
        paths: dict[str, str] = {}
        try:
            while True:
                current = {i.state.name: i.spec.log for i in self._service.engine.project}
                if current != paths:
                    self._show(follower.retarget(current, self._service.engine.log_offsets))
                    paths = current
                self._show(follower.poll())
                await asyncio.sleep(0 if follower.is_behind else _LOOK)
        finally:
            self._show(follower.poll())
            self._show(follower.rest())
            follower.close()

    def _log_trouble(self, name: str, error: OSError) -> None:
        self._display.say(f"cannot read the log of {name}: {(error.strerror or str(error)).lower()}")

    def _show(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._display.show(line.name, line.data)


def status_of(end: RunEnd | None) -> int:
    """An exit status as a shell has it: the code, or 128+n for signal n; 127 for what couldn't be started."""
    if end is None or (end.exit is None and end.spawn_error is None):
        return 1
    if end.spawn_error is not None:
        return 127
    assert end.exit is not None
    if end.exit.signal is not None:
        return 128 + end.exit.signal
    return 1 if end.exit.code is None else end.exit.code
