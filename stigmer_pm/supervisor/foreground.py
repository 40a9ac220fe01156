"""``up --foreground``: the supervisor in this very process, in front, with the merged logs; also as PID 1."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from stigmer_pm.core.reasons import words
from stigmer_pm.core.state import InstanceState, Phase
from stigmer_pm.runtime import system, table
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.statedir import StateDir
from stigmer_pm.supervisor import commands, signals
from stigmer_pm.supervisor.beginning_again import Failed, serve_in_spite_of_bugs
from stigmer_pm.supervisor.contents import peek
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.front_end import HURRIED, INTERRUPTED, LEFT, Manner, due_end, status_of
from stigmer_pm.supervisor.front_logs import FrontLogs
from stigmer_pm.supervisor.handover import Handover
from stigmer_pm.supervisor.home import Busy, Home
from stigmer_pm.supervisor.log import last_words, log_to
from stigmer_pm.supervisor.notify import Notifier
from stigmer_pm.supervisor.order import Order
from stigmer_pm.supervisor.run import inherited_listener, internal_error, read_order, refuse_record
from stigmer_pm.supervisor.service import Service
from stigmer_pm.supervisor.store import StoreError

_log = logging.getLogger(__name__)

#: Seconds of stopping after which it is said what is waited for.
_EXPLAIN_AFTER = 1.0


@dataclass(frozen=True, slots=True)
class Display:
    """How the foreground speaks: ``show`` a line of a component's log, ``say`` a line of its own."""

    show: Callable[[str, bytes], None]
    say: Callable[[str], None]


def run_foreground(order: Mapping[str, Any], manner: Manner, display: Display, handover: Handover | None = None) -> int:
    """Supervise in front until interrupted, until the component ``exit_code_from`` has ended, or until all have.

    Returns:
        The exit status: that of ``exit_code_from`` (128+n for a signal); or of a component that was given up on, with
        ``exit_on_failure``; or 130 when interrupted; or 1 when a component failed, else 0. A service that was told to
        end has 0.

    Raises:
        Refused: it can't be begun; nothing was started.
    """
    parsed = read_order(order)
    if parsed.spec is not None and manner.exit_code_from is not None:
        _refuse_unknown(parsed.spec, manner.exit_code_from)
    if manner.leaves_running and os.getpid() == 1:
        raise Refused(
            "nothing can be left running here: everything in a container ends with its first process",
            cure="leave --leave-running out",
        )
    try:
        home = Home(parsed.state_dir, None if handover is None else handover.lock_fd)
    except Busy:
        raise Refused(
            "a supervisor already runs this project",
            cure="look on with 'stigmer-pm logs -f', or end it with 'stigmer-pm down' first",
            code="busy",
        ) from None
    except Refused as refused:
        if handover is not None:
            last_words(StateDir(parsed.state_dir).supervisor_log, refused.message)
        raise
    try:
        log_to(home.dir.supervisor_log)
        if parsed.prefers_record:
            parsed = _from_record(parsed, home, display)
        return serve_in_spite_of_bugs(parsed, _Foreground(home, display, manner, handover).run)
    except StoreError as error:
        raise refuse_record(home, error) from error
    except Refused:
        home.withdraw()
        raise
    except Exception:  # noqa: BLE001 (the top of the supervisor: its traceback goes to its log, never to a user)
        _log.exception("bug in the supervisor: it ends, and what runs goes on")
        raise internal_error(home) from None
    finally:
        home.close()


def _refuse_unknown(spec: ProjectSpec, name: str) -> None:
    if spec.component(name) is None:
        raise Refused(f"no component is called '{name}' (--exit-code-from)", code="unknown")


def _from_record(order: Order, home: Home, display: Display) -> Order:
    """Go on with what is on record, if that may still run: no edit is applied because a supervisor has died.

    Raises:
        Refused: nothing is on record, and there is no file to apply.
    """
    values, count = peek(home.dir.database)
    if count and values.get("boot_id") == system.boot_id() and values.get("pid_namespace") == table.namespace():
        display.say("going on with what is on record; 'stigmer-pm up' applies the file")
        return replace(order, spec=None)
    if order.spec is None:
        raise Refused("nothing is on record", code="no-record")
    return order


class _Foreground:
    """A supervisor in front: for all that it is as long as no bug is met, and of one that begins again after it."""

    def __init__(self, home: Home, display: Display, manner: Manner, handover: Handover | None) -> None:
        self._home = home
        self._display = display
        self._manner = manner
        self._interrupts = 0
        self._is_hurried = False
        self._status: int | None = None
        self._handover = handover
        #: What the one before in this place was about: that which handed over, or which met a bug.
        self._front: Mapping[str, Any] = {} if handover is None else dict(handover.front or {})
        self._told: dict[str, str] = dict(self._front.get("told", {}))

    async def run(self, order: Order, is_to_end: bool) -> int:
        """Supervise until the end, which may be due at once; the exit status.

        Raises:
            Failed: a bug was met while it served. It can be run again.
        """
        handover, self._handover = self._handover, None
        service = Service(self._home, order, inherited_listener(handover))
        self._service = service
        service.describe_front = self._describe
        service.is_kept = self._manner.is_service
        if handover is not None:
            service.tell_of_handover(handover.version)
        tasks: list[asyncio.Task[None]] = []
        try:
            signals.handle(asyncio.get_running_loop(), self._meanings())
            # Made before anything is started, so that not even the first line is missed.
            self._logs = self._open_logs(order)
            service.begin(order)
            notifier = Notifier(order.environment)
            service.on_ending = lambda: notifier.tell_stopping(service.engine.project)
            works: list[Coroutine[Any, Any, None]] = [self._watch(), notifier.keep_telling(service)]
            if not self._manner.is_service:
                works.append(self._logs.follow(service.engine))
            tasks += [asyncio.create_task(work) for work in works]
            if is_to_end:
                service.end()
            await service.open_door()
            if service.lack is not None:
                self._display.say(service.lack.message)
            notifier.tell_ready()
            tasks.append(asyncio.create_task(notifier.keep_watchdog_calm()))
            for task in tasks:
                service.look_after(task)
            await service.ended.wait()
            if service.failure is not None:
                self._leave_to_the_next()
                raise Failed(was_ending=service.is_ending) from service.failure
            status = self._final_status()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await service.close()
        return status

    def _leave_to_the_next(self) -> None:
        signals.hold_back()
        self._logs.is_handed_on = True
        self._front = self._describe()

    def _open_logs(self, order: Order) -> FrontLogs:
        """From here on, or from where the supervisor before this one has stopped showing them."""
        if order.spec is not None:
            self._refuse_one_that_will_not_run(self._service, order.spec, order)
        components = () if order.spec is None else order.spec.components
        begin = self._front.get("offsets", {})
        return FrontLogs({c.name: c.log for c in components}, begin, self._display.show, self._display.say)

    def _describe(self) -> Mapping[str, object]:
        """What the supervisor that takes this one's place must know beside what is on record."""
        return {"manner": asdict(self._manner), "offsets": self._logs.offsets(), "told": self._told}

    def _refuse_one_that_will_not_run(self, service: Service, spec: ProjectSpec, order: Order) -> None:
        """One whose end is waited for must be one that is started."""
        plan = commands.plan_for(service.engine, spec, order.scope)
        name = self._manner.exit_code_from
        if name is not None and name not in plan.wanted:
            raise Refused(
                f"component '{name}' (--exit-code-from) would not be started", cure="name it, or choose its profile"
            )

    def _states(self) -> list[InstanceState]:
        return [instance.state for instance in self._service.engine.project]

    # --- signals ------------------------------------------------------------------------------------------------

    def _meanings(self) -> signals.Meanings:
        """What signals mean in front; see docs/reference/signals.md."""
        found = dict(signals.common(self._service))
        found[signal.SIGTERM] = self._terminate
        found[signal.SIGINT] = self._interrupt
        found[signal.SIGQUIT] = self._let_go
        is_first = os.getpid() == 1
        if signals.cares_for_its_terminal() and not self._manner.is_service and not is_first:
            found[signal.SIGHUP] = self._terminate
        if is_first:
            found.update(dict.fromkeys(signals.ENDS_A_CONTAINER, self._terminate))
            if self._manner.exit_code_from is not None:
                found.update((number, partial(self._pass_on, number)) for number in signals.PASSED_ON)
        return found

    def _interrupt(self) -> None:
        self._interrupts += 1
        if self._manner.leaves_running:
            self._let_go()
        elif self._interrupts == 1 and not self._service.is_ending:
            self._display.say("stopping everything in order; Ctrl-C again kills what is left")
            self._service.end()
            asyncio.get_running_loop().call_later(_EXPLAIN_AFTER, self._explain)
        else:
            self._display.say("killing what is left")
            self._service.is_ending = True
            self._service.end_or_kill()

    def _terminate(self) -> None:
        if self._manner.leaves_running:
            self._let_go()
            return
        self._is_hurried |= self._service.is_ending
        self._service.end_or_kill()

    def _let_go(self) -> None:
        self._display.say("ending; what runs goes on, and the next 'stigmer-pm up' finds it again")
        self._service.let_go()

    def _pass_on(self, number: int) -> None:
        """Process 1 gets what is meant for the one component that the container is there for."""
        assert self._manner.exit_code_from is not None, "without it nothing is passed on"
        if self._service.engine.project.find(self._manner.exit_code_from) is not None:
            self._service.engine.send_signal(self._manner.exit_code_from, number)

    def _explain(self) -> None:
        left = [s for s in self._states() if s.run is not None]
        if left and not self._service.ended.is_set():
            self._display.say(
                "still waiting for " + "; ".join(f"{s.name} ({words(s.reason) or s.phase.value})" for s in left)
            )
            asyncio.get_running_loop().call_later(5 * _EXPLAIN_AFTER, self._explain)

    # --- the end ------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Say what happens to components, and end when that is asked for or when nothing is left to run."""
        subscription = self._service.engine.feed.subscribe()
        while True:
            for state in self._states():
                if self._told.get(state.name) != state.phase:
                    self._told[state.name] = state.phase.value
                    self._tell(state)
            if not self._service.is_ending:
                self._end_if_due()
            await subscription.take()

    def _tell(self, state: InstanceState) -> None:
        if state.phase in (Phase.BACKOFF, Phase.FAILED, Phase.COMPLETED):
            self._display.say(f"{state.name}: {state.phase.value}: {words(state.reason)}")

    def _end_if_due(self) -> None:
        due = due_end(self._states(), self._manner)
        if due is not None:
            self._status, why = due
            self._display.say(why)
            self._service.end()

    def _final_status(self) -> int:
        if self._status is not None:
            return self._status
        if self._manner.exit_code_from is not None:
            state = next((s for s in self._states() if s.name == self._manner.exit_code_from), None)
            if state is not None and state.last_end is not None:
                return status_of(state.last_end)
        if self._manner.is_service:
            return LEFT if self._service.has_let_go and not self._manner.leaves_running else 0
        if self._interrupts:
            return INTERRUPTED
        return HURRIED if self._is_hurried else 0
