"""Making the machine match the file: read it, refuse what can't run, and hand it to a supervisor, old or new."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from stigmer_pm.cli.matching import matching
from stigmer_pm.cli.session import ANSWER_WITHIN, Session
from stigmer_pm.client.documents import ApplyAnswer, Change, Document
from stigmer_pm.client.errors import NoSupervisor, Refused
from stigmer_pm.client.finding import is_locked
from stigmer_pm.client.requests import Supervisor
from stigmer_pm.core.plan import Scope, make_plan
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.spec.codec import encode
from stigmer_pm.statedir import StateDir

_LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resolved file, and which part of it an ``up`` is about."""

    spec: ProjectSpec
    names: tuple[str, ...]
    profiles: tuple[str, ...]

    @property
    def scope(self) -> Scope:
        """As the core has it."""
        return Scope(self.names, self.profiles)


def read_wanted(
    session: Session, patterns: Sequence[str], labels: Sequence[tuple[str, str]], profiles: tuple[str, ...]
) -> Wanted:
    """Read the file.

    Raises:
        ConfigError: it has errors.
        CliError: a pattern or label matches nothing in it.
    """
    from stigmer_pm.config import load

    spec = load(session.file(), session.environ, profiles=profiles, names=tuple(patterns))
    session.remember_state(StateDir(spec.state_dir))
    names = tuple(matching(patterns, labels, {c.name: c.labels for c in spec.components})) if patterns or labels else ()
    return Wanted(spec, names, profiles)


def order_of(session: Session, wanted: Wanted) -> Document:
    """What a new supervisor is started with."""
    return {
        "spec": encode(wanted.spec),
        "names": list(wanted.names),
        "profiles": list(wanted.profiles),
        "environment": dict(session.environ),
    }


def apply(session: Session, wanted: Wanted, timeout: float | None = None) -> tuple[Supervisor, ApplyAnswer]:
    """Apply the file through the supervisor that runs, or through a new one. ``timeout`` is what there is for all.

    Raises:
        NoSupervisor: one runs that can't be reached.
        Refused: the supervisor says no.
    """
    state = StateDir(wanted.spec.state_dir)
    ends_at = time.monotonic() + ANSWER_WITHIN
    told = False
    while True:
        try:
            supervisor = Supervisor.find(state, session.environ)
            supervisor.timeout = timeout
            supervisor.knock()
            session.discard_seed()
            return supervisor, supervisor.apply(encode(wanted.spec), names=wanted.names, profiles=wanted.profiles)
        except Refused as refused:
            if not refused.is_ending:
                raise
            if not told:
                told = True
                session.terminal.say("another command stops everything; waiting until it has")
            wait_until_unlocked(state)
            ends_at = time.monotonic() + ANSWER_WITHIN
        except NoSupervisor as error:
            answer = _start(session, wanted, timeout) if error.is_absent and not is_locked(state) else None
            if answer is not None:
                return Supervisor.find(state, session.environ), answer
            if not (error.is_absent or error.may_return):
                raise
            if time.monotonic() > ends_at:
                raise _no_answer(state) from error
            if error.may_return and not told:
                told = True
                session.terminal.say(f"{error.message}; waiting for it")
        time.sleep(_LOOK)


def wait_until_unlocked(state: StateDir, ends_at: float | None = None) -> None:
    """Until the supervisor that runs has ended, or until ``ends_at`` (of the monotonic clock). ``None``: for as long as
    it takes, for whoever asked for the end of everything said how long that may take to stop."""
    while is_locked(state) and (ends_at is None or time.monotonic() < ends_at):
        time.sleep(_LOOK)


def _no_answer(state: StateDir) -> NoSupervisor:
    return NoSupervisor(
        f"another supervisor of this project has been starting or ending for {ANSWER_WITHIN:.0f} s without an answer",
        f"see {state.supervisor_log}, and try again",
    )


def plan(session: Session, wanted: Wanted) -> tuple[list[Change], int]:
    """What :func:`apply` would change, and how many components it would leave alone."""
    try:
        supervisor = Supervisor.find(StateDir(wanted.spec.state_dir), session.environ)
        answer = supervisor.apply(encode(wanted.spec), names=wanted.names, profiles=wanted.profiles, dry_run=True)
    except NoSupervisor as error:
        if not error.is_absent:
            raise
        if error.has_died or error.is_lost:
            session.terminal.say(f"{error.message}; up would find it again, which this plan doesn't know")
        else:
            session.terminal.say("no supervisor runs; up would start one")
        fresh = make_plan({}, lambda name: None, wanted.spec, wanted.scope)
        changes = [
            Change(name=c.name, action=c.action.value, fields=list(c.fields), reason=c.reason) for c in fresh.changes
        ]
        return changes, fresh.unchanged
    return answer["changes"], answer["unchanged"]


def _start(session: Session, wanted: Wanted, timeout: float | None) -> ApplyAnswer | None:
    """Start a supervisor; ``None`` when another ``up`` was faster, or the last one is just ending."""
    answer = session.take_seed().plant(order_of(session, wanted), timeout)
    if answer.get("busy"):
        return None
    if "error" in answer:
        error = answer["error"]
        raise Refused(str(error["message"]), error.get("cure"), int(error.get("exit", 1)))
    found: ApplyAnswer = answer["apply"]
    return found
