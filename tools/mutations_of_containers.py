"""The ways in which ``make mutants`` breaks what the core knows of containers."""

from __future__ import annotations

from tools.mutant import Mutant
from tools.mutant import mutants_of as _in

MUTANTS: tuple[Mutant, ...] = (
    *_in(
        "notes.py",
        (
            "what the world has said is never taken back",
            "reason_without_note(state) if event.reason.why is Why.NONE else event.reason",
            "before if event.reason.why is Why.NONE else event.reason",
        ),
        (
            "the end of a note takes every other reason along",
            "if state.reason.why not in NOTES:\n        return state.reason",
            "if state.phase is Phase.WAITING:\n        return state.reason",
        ),
        (
            "after a note nobody knows that the startup probe is waited for",
            "return Reason(Why.WAITS_FOR_STARTUP) if waits else NO_REASON",
            "return NO_REASON",
        ),
        (
            "after a note nobody knows why it is being stopped",
            "return state.run.stop_reason",
            "return NO_REASON",
        ),
        ("each word of a pull is an entry", "if before.why is reason.why:", "if before == reason:"),
        ("a pause is told as a warning", "EventKind.PAUSED, words(reason)", "EventKind.WARNING, words(reason)"),
        ("the end of a pause is not told", "if before.why is Why.PAUSED:", "if before.why is Why.NONE:"),
        ("an engine that is back is not told", "if before.why is Why.ENGINE:", "if before.why is Why.NONE:"),
        ("what a HEALTHCHECK says is not kept", "replace(run, health=event.passes,", "replace(run, health=run.health,"),
        (
            "a HEALTHCHECK that decides nothing is told",
            "if state.is_ready is was_ready:",
            "if state.is_ready is None:",
        ),
        (
            "ready and unready are the wrong way round",
            '"its HEALTHCHECK passes") if is_ready else',
            '"its HEALTHCHECK passes") if was_ready else',
        ),
    ),
    *_in(
        "lifecycle.py",
        (
            "nobody knows that a run is a container before it runs",
            'container = None if spec.container is None else ""',
            "container = None",
        ),
        (
            "what begins too late is not stopped",
            "return stopping.signal(spec, state, now)\n\n\ndef _spawn_failed",
            "return state, ()\n\n\ndef _spawn_failed",
        ),
        (
            "what begins after its SIGKILL is asked to stop",
            "if run.was_killed:\n        return state, (KillRun(state.name, run.number),)\n    return stopping.signal",
            "return stopping.signal",
        ),
        (
            "a start that never came to it is a run that has ended",
            "return enter(replace(state, run=None), Phase.WAITING, now), ()",
            "return conclude(spec, state, run_of(state), now, 0.0)",
        ),
        (
            "the health at the start is not kept",
            "        health=event.health,\n",
            "",
        ),
        ("news of a container that is over are taken", "Emptied, Noted, HealthTold, ProbeDone)", "Emptied, ProbeDone)"),
    ),
    *_in(
        "stopping.py",
        (
            "an outage makes a SIGKILL of a stop",
            "return state.reason.why in _UNDELIVERED and not run_of(state).was_killed",
            "return False",
        ),
        (
            "SIGKILL is not repeated while the engine is away",
            "return state.reason.why in _UNDELIVERED and not run_of(state).was_killed",
            "return state.reason.why in _UNDELIVERED",
        ),
        (
            "a stop has no time from when the engine answers",
            "state, more = signal(spec, state, now)\n    return state, (*effects, *more)\n\n\ndef take_last_end",
            "return state, effects\n\n\ndef take_last_end",
        ),
        (
            "an engine that answers is not told of the SIGKILL",
            "return state, (*effects, KillRun(state.name, run.number))\n    state, more = signal",
            "return state, effects\n    state, more = signal",
        ),
        (
            "a start that is not wanted any more goes on",
            "return state, (record, CancelStart(state.name, run.number))",
            "return state, (record,)",
        ),
        (
            "an engine that stops is the fault of the run",
            "stop_cause=run.stop_cause or event.cause)",
            "stop_cause=run.stop_cause)",
        ),
        (
            "an engine that stops excuses a probe that has failed",
            "stop_cause=run.stop_cause or event.cause)",
            "stop_cause=event.cause or run.stop_cause)",
        ),
        (
            "SIGKILL that could not be sent is said to have had no effect",
            "was_sent = run.was_killed and",
            "was_sent = run.was_killed or",
        ),
        (
            "one whose engine is away is called unkillable",
            "(run.pid is None and run.exit is None) and state.reason.why not in _UNDELIVERED",
            "(run.pid is None and run.exit is None)",
        ),
        (
            "a start that is being taken back is called unkillable",
            "was_sent = run.was_killed and not (run.pid is None and run.exit is None) and",
            "was_sent = run.was_killed and",
        ),
    ),
    *_in(
        "ending.py",
        ("who has ended a container is not said", 'f" ({end.by})" if end.by else ""', '""'),
        (
            "an engine that stops is followed by an automatic restart",
            "by_us = end.cause is not None and not end.cause.is_probe",
            'by_us = end.cause not in (None, "its engine stopped") and not end.cause.is_probe',
        ),
        (
            "the history of runs does not say that it was the engine",
            "(end.cause.is_probe or end.cause is StopCause.ENGINE)",
            "end.cause.is_probe",
        ),
    ),
    *_in(
        "dependencies.py",
        (
            "one whose engine is away may still come",
            "if state.phase is Phase.STARTING and state.reason.why is Why.ENGINE:",
            "if state.phase is Phase.WAITING and state.reason.why is Why.ENGINE:",
        ),
    ),
    *_in(
        "restart.py",
        (
            "the code of a death by signal is not read",
            "or end.exit.code in spec.success.codes",
            "or (end.exit.signal is None and end.exit.code in spec.success.codes)",
        ),
    ),
    *_in(
        "state.py",
        ("a HEALTHCHECK that fails is no reason to wait", "return self.run.health is not False", "return True"),
        (
            "one without a HEALTHCHECK waits for it",
            "return self.run.health is not False",
            "return self.run.health is True",
        ),
        (
            "a HEALTHCHECK decides beside a readiness probe",
            "if self.run.readiness is None:\n            return self.run.health",
            "if self.run.readiness is None or self.run.health is False:\n            return self.run.health",
        ),
    ),
    *_in(
        "verdict.py",
        (
            "a wait for an engine that is away hangs",
            "case Phase.STARTING | Phase.STOPPING if state.reason.why is Why.ENGINE:",
            "case Phase.STARTING | Phase.STOPPING if state.reason.why is Why.PAUSED:",
        ),
        (
            "a HEALTHCHECK that passes is not enough",
            "spec.probes.readiness is not None or has_health",
            "spec.probes.readiness is not None",
        ),
        (
            "a startup probe hides that a container is paused",
            "run.startup is not None and state.reason.why not in NOTES:",
            "run.startup is not None:",
        ),
        (
            "nobody says that a HEALTHCHECK is waited for",
            "if not state.is_ready and run.readiness is None:",
            "if state.is_ready and run.readiness is None and run.health:",
        ),
    ),
)
