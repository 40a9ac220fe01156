"""The ways in which ``make mutants`` breaks the core; those about containers have a module of their own."""

from __future__ import annotations

from tools.mutant import Mutant
from tools.mutant import mutants_of as _in

MUTANTS: tuple[Mutant, ...] = (
    *_in(
        "restart.py",
        ("what the machine is short of is a failed run", "if end.is_shortage:", "if False:"),
        ("a start by hand keeps the shortages", "        shortages=0,\n        pending", "        pending"),
        (
            "a run is stable only after min_uptime",
            "until - run.started_at >= spec.min_uptime",
            "until - run.started_at > spec.min_uptime",
        ),
        (
            "one that was never started may be stable",
            "if run.started_at is None or not run.is_started:",
            "if run.started_at is None:",
        ),
        (
            "liveness need not have passed for a stable run",
            "spec.probes.liveness is not None and not run.has_been_healthy",
            "spec.probes.liveness is None and not run.has_been_healthy",
        ),
        ("one that had to be killed may be a success", "if end.exit is None or end.killed:", "if end.exit is None:"),
        ("the ladder begins a step too high", "min(failures - 1, 64)", "min(failures, 64)"),
        (
            "the ladder has no top",
            "delay = min(backoff.max, backoff.initial",
            "delay = max(backoff.max, backoff.initial",
        ),
        ("jitter makes the wait longer", "1.0 - backoff.jitter * chance", "1.0 + backoff.jitter * chance"),
        (
            "a run that a probe has ended completes",
            "if is_success(spec, end) and not (end.cause is not None and end.cause.is_probe):",
            "if is_success(spec, end):",
        ),
        (
            "never means always",
            "if spec.restart is RestartPolicy.NEVER:\n        return False",
            "if spec.restart is RestartPolicy.NEVER:\n        return True",
        ),
        (
            "on-failure restarts after success",
            "return (end.cause is not None and end.cause.is_probe) or not is_success(spec, end)",
            "return True",
        ),
        (
            "on-failure forgets probes",
            "return (end.cause is not None and end.cause.is_probe) or not is_success(spec, end)",
            "return not is_success(spec, end)",
        ),
        ("gives up one restart too late", "len(recent) >= spec.max_restarts", "len(recent) > spec.max_restarts"),
        (
            "the window of giving up never moves",
            "for t in state.failed_restarts if t > end.at - spec.restart_window",
            "for t in state.failed_restarts if t < end.at",
        ),
        (
            "a stable run doesn't end the row of failed ones",
            "replace(state, failed_runs=0, failed_restarts=(), pending=Pending.AFTER_STABLE)",
            "replace(state, pending=Pending.AFTER_STABLE)",
        ),
        (
            "flapping one restart too late",
            "if threshold is None or len(recent) < threshold:",
            "if threshold is None or len(recent) <= threshold:",
        ),
        ("flapping always waits the first step", "slowed = state.slowed_restarts + 1", "slowed = 1"),
        ("restarts are not counted", "restarts=state.restarts + 1,", "restarts=state.restarts,"),
        (
            "failed restarts are not remembered",
            "if state.pending is Pending.AFTER_FAILED:",
            "if state.pending is Pending.AFTER_STABLE:",
        ),
        (
            "a start by hand keeps the failed runs",
            "        state,\n        failed_runs=0,\n        failed_restarts=(),\n        automatic_restarts=(),",
            "        state,\n        automatic_restarts=(),",
        ),
    ),
    *_in(
        "probing.py",
        ("a threshold needs one more", "is_published = streak >= threshold", "is_published = streak > threshold"),
        (
            "the thresholds are the wrong way round",
            "probe.failure_threshold if found is Result.FAILURE else probe.success_threshold",
            "probe.success_threshold if found is Result.FAILURE else probe.failure_threshold",
        ),
        (
            "a streak survives the opposite answer",
            "state.streak + 1 if found is state.streak_of else 1",
            "state.streak + 1",
        ),
        ("a discarded attempt counts as a failure", "if attempt.outcome is Outcome.DISCARDED:", "if False:"),
        (
            "a warning counts as a failure",
            "Result.FAILURE if attempt.outcome is Outcome.FAILURE else Result.SUCCESS",
            "Result.SUCCESS if attempt.outcome is Outcome.SUCCESS else Result.FAILURE",
        ),
        (
            "no hold after a failed liveness probe",
            "is_on_hold=state.is_on_hold or (is_published and is_decided)",
            "is_on_hold=state.is_on_hold",
        ),
        (
            "liveness is on hold after a success",
            "probe.kind is ProbeKind.LIVENESS and found is Result.FAILURE",
            "probe.kind is ProbeKind.LIVENESS",
        ),
        ("the initial delay is not waited", "first = started_at + probe.initial_delay", "first = started_at"),
        (
            "the next attempt comes a period late",
            "return grid + (passed + 1) * probe.period",
            "return grid + (passed + 2) * probe.period",
        ),
    ),
    *_in(
        "probe_steps.py",
        (
            "the grace of a probe is ignored",
            "spec.stop_timeout if probe is None or probe.termination_grace is None else probe.termination_grace",
            "spec.stop_timeout",
        ),
        (
            "the grace of the other probe is given",
            "probe = spec.probes.liveness\n    elif",
            "probe = spec.probes.startup\n    elif",
        ),
        (
            "liveness is asked before startup has passed",
            "return run.is_started if kind is ProbeKind.LIVENESS else not run.is_started",
            "return True if kind is ProbeKind.LIVENESS else not run.is_started",
        ),
        (
            "liveness is asked during a stop",
            "if state.phase is Phase.STOPPING:\n        return False",
            "if state.phase is Phase.BACKOFF:\n        return False",
        ),
        (
            "readiness is asked before startup has passed",
            "if kind is ProbeKind.READINESS:\n        return run.is_started",
            "if kind is ProbeKind.READINESS:\n        return True",
        ),
        ("a probe on hold is asked", "or probe_state is None or probe_state.is_on_hold:", "or probe_state is None:"),
        (
            "an attempt begins before it is due",
            "if probe_state.next_at <= now and state.run is not None:",
            "if state.run is not None:",
        ),
        ("one with a startup probe is started at once", "is_started=startup is None,", "is_started=True,"),
        (
            "a readiness probe that fails restarts",
            "_FAILED_CAUSE = {ProbeKind.LIVENESS: StopCause.LIVENESS, ",
            "_FAILED_CAUSE = {ProbeKind.READINESS: StopCause.LIVENESS, ProbeKind.LIVENESS: StopCause.LIVENESS, ",
        ),
        (
            "liveness counts as healthy without an answer",
            "if outcome is Outcome.FAILURE or state.run is None or state.run.has_been_healthy:",
            "if state.run is None or state.run.has_been_healthy:",
        ),
        ("an edited probe forgets its result", "replace(fresh, result=before.result, last=before.last)", "fresh"),
    ),
    *_in(
        "lifecycle.py",
        (
            "news of a run that is over are taken",
            "state.run is None or state.run.number != event.run",
            "state.run is None",
        ),
        (
            "a start is recorded and not done",
            "return enter(state, Phase.STARTING, now), (record, StartRun(state.name, number))",
            "return enter(state, Phase.STARTING, now), (record,)",
        ),
        ("backoff is not sat out", "if state.start_at is None or state.start_at > now:", "if state.start_at is None:"),
        ("the number of a run stays", "number = state.run_number + 1", "number = max(1, state.run_number)"),
        ("a restart is not counted where it happens", "state = count_restart(spec, state, now)\n    number", "number"),
    ),
    *_in(
        "wanting.py",
        (
            "a stop in backoff doesn't count as one by hand",
            "is_stopped_by_hand=cause is StopCause.BY_HAND,",
            "is_stopped_by_hand=False,",
        ),
        (
            "a start during a stop is forgotten",
            "restart_for=cause)\n    return clear_counts(state), ()",
            "restart_for=None)\n    return clear_counts(state), ()",
        ),
        (
            "a stopped job is no longer completed",
            "return _unwanted(state, event), ()\n\n\ndef _unwanted",
            "return unwant_now(spec, state, event, now)\n\n\ndef _unwanted",
        ),
        (
            "a start clears no counts",
            "state = replace(clear_counts(state), desired=Desired.RUNNING",
            "state = replace(state, desired=Desired.RUNNING",
        ),
    ),
    *_in(
        "ending.py",
        (
            "the waits of a shortage never grow",
            "shortages = state.shortages + 1 if end.is_shortage else 0",
            "shortages = 1 if end.is_shortage else 0",
        ),
        (
            "a failure to start doesn't end the row of shortages",
            "shortages = state.shortages + 1 if end.is_shortage else 0",
            "shortages = state.shortages + 1 if end.is_shortage else state.shortages",
        ),
        (
            "a run doesn't end the row of shortages",
            "shortages=0 if has_begun else state.shortages",
            "shortages=state.shortages",
        ),
        (
            "what a probe said is forgotten at the end of its run",
            "told_words(end, run.stop_reason)",
            "told_words(end, decision.state.reason)",
        ),
    ),
    *_in(
        "stopping.py",
        ("a log that is lost during a stop is told", "if event.reason.why is Why.LOG_LOST:", "if False:"),
        (
            "the stop signal is not sent",
            "return replace(state, run=run), (SignalRun(state.name, run.number, _stop_signal(spec, run)),)",
            "return replace(state, run=run), ()",
        ),
        (
            "the stop_timeout is not kept",
            "run = replace(run, kill_at=now + probe_steps.stop_seconds(spec, run))",
            "run = replace(run, kill_at=None)",
        ),
        (
            "a stop that is taken up again asks what was killed once more",
            "if is_unknown or run.was_killed:",
            "if is_unknown:",
        ),
        (
            "a stop is taken up again before there is a program to signal",
            "if is_unknown or run.was_killed:",
            "if run.was_killed:",
        ),
        (
            "the stop of what a leader left behind is not taken up again",
            "is_unknown = run.pid is None and run.exit is None",
            "is_unknown = run.pid is None or run.exit is not None",
        ),
        (
            "what is to end at once is killed a second time as if nothing had been done",
            "reason = Reason(Why.UNKILLABLE) if was_sent else state.reason",
            "reason = state.reason",
        ),
        (
            "SIGKILL is announced and not sent",
            "*(() if run.was_killed else (record,)), KillRun(state.name, run.number))",
            "*(() if run.was_killed else (record,)))",
        ),
        ("SIGKILL comes before its time", "run.kill_at is None or run.kill_at > now or", "run.kill_at is None or"),
        (
            "what is left behind is not asked to stop",
            "state, more = signal(spec, state, now)\n    return state, (*effects, record, *more)\n\n\ndef take_note",
            "return state, (*effects, record)\n\n\ndef take_note",
        ),
        ("a run with leftovers counts as ended", "if not event.remaining:", "if True:"),
    ),
    *_in(
        "dependencies.py",
        (
            "one that is leaving is ready",
            "if state.is_leaving:\n        return False",
            "if False:\n        return False",
        ),
        (
            "started is enough for ready",
            "return state.is_ready if condition is Condition.READY else state.is_started",
            "return state.is_started",
        ),
        (
            "ready is needed for started",
            "return state.is_ready if condition is Condition.READY else state.is_started",
            "return state.is_ready",
        ),
        (
            "only the first dependency counts",
            "        if reason is not None:\n            return reason\n    return None",
            "        return reason\n    return None",
        ),
        ("one that has failed may still come", "if state.phase is Phase.FAILED:", "if state.phase is Phase.STARTING:"),
    ),
    *_in(
        "state.py",
        (
            "one with a failing readiness probe is ready",
            "return self.run.readiness.is_passing",
            "return True",
        ),
        (
            "one that waits to be restarted is not leaving",
            "self.desired is Desired.STOPPED or self.restart_for is not None or",
            "self.desired is Desired.STOPPED or",
        ),
        ("a result of readiness is not kept", "        or _result_of(a.readiness) != _result_of(b.readiness)\n", ""),
    ),
    *_in(
        "plan.py",
        (
            "an edited command is applied without a restart",
            'return Change(new.name, Action.RESTART, (*restarting, *live), "edited")',
            'return Change(new.name, Action.UPDATE, (*restarting, *live), "edited")',
        ),
        ("an edited probe restarts", "if restarting and runs and state", "if (restarting or live) and runs and state"),
        (
            "what is gone from the file runs on",
            "gone = [name for name in applied if name not in edges]",
            "gone: list[str] = []",
        ),
        ("up with names stops the others", "if not scope.names:\n        gone", "if True:\n        gone"),
        (
            "up ends a backoff",
            "return state.phase in (Phase.STOPPED, Phase.FAILED)",
            "return state.phase in (Phase.STOPPED, Phase.FAILED, Phase.BACKOFF)",
        ),
        ("unless-stopped is always", "        and state.is_stopped_by_hand\n", ""),
        (
            "dependencies of what is named are not started",
            "return closure(scope.names, edges) & in_scope",
            "return set(scope.names) & in_scope",
        ),
    ),
    *_in(
        "verdict.py",
        ("settle is not waited", "now - started_at >= patience.settle", "now - started_at >= 0"),
        (
            "a spawn that failed may still come",
            "if state.last_end is not None and state.last_end.spawn_error is not None:\n        return Verdict",
            "if False:\n        return Verdict",
        ),
        (
            "a long backoff is sat out",
            "state.start_at - now > patience.backoff",
            "state.start_at - now < patience.backoff",
        ),
        (
            "one whose dependency is lost may still come",
            "if verdict.standing is Standing.LOST or completed_too_early:",
            "if completed_too_early:",
        ),
        (
            "one that stops has stopped",
            "if state.run is None and state.phase in (Phase.STOPPED, Phase.COMPLETED, Phase.FAILED):",
            "if state.desired is Desired.STOPPED:",
        ),
    ),
)
