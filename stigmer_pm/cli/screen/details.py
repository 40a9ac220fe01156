"""The sections of ``describe``."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence

from stigmer_pm.cli.screen.amounts import bytes_words, local_time, seconds_words, unix_time
from stigmer_pm.cli.screen.phases import COLORS, color_of, reason_words
from stigmer_pm.cli.screen.table import aligned
from stigmer_pm.cli.screen.terminal import Terminal, plain
from stigmer_pm.client.documents import ComponentDetails, Document, EventEntry

_INDENT = "  "


def details_lines(terminal: Terminal, details: ComponentDetails) -> Iterator[str]:
    """Everything about one instance, for people; programs have ``--json``."""
    yield terminal.paint(details["name"], None, bold=True) + (
        f"  {plain(details['description'])}" if details["description"] else ""
    )
    yield from _pairs(_state_pairs(terminal, details))
    for title, lines in (
        ("What runs", _pairs(_execution_pairs(details["spec"]))),
        ("Container", _pairs(_container_pairs(details))),
        ("Rules", _pairs(_rule_pairs(details["spec"]))),
        ("Depends on", _dependency_lines(details["depends_on"])),
        ("Probes", _probe_lines(details["probes"])),
        ("Runs", _run_lines(details["runs"])),
        ("Events", _event_lines(terminal, details["events"])),
    ):
        if lines:
            yield ""
            yield terminal.paint(title, None, bold=True)
            yield from lines


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[str]:
    # The phase is painted already, and its words are ours.
    shown = [(key, value if key == "phase" else plain(value)) for key, value in pairs if value]
    return [_INDENT + line for line in aligned(shown)]


def _state_pairs(terminal: Terminal, details: ComponentDetails) -> list[tuple[str, str]]:
    since = details["since"]
    lasting = f" for {seconds_words(time.time() - unix_time(since))}, since {local_time(since)}" if since else ""
    flags = [f"{'' if details[key] else 'not '}{key}" for key in ("started", "ready", "healthy")]
    last = details["last_exit"]
    cpu, memory = details["cpu_percent"], details["memory_bytes"]
    return [
        ("phase", terminal.paint(details["phase"], color_of(details)) + lasting),
        ("why", reason_words(details["reason"], details["next_restart"])),
        ("state", ", ".join(flags) + f"; meant to be {details['desired']}"),
        ("pid", str(details["pid"] or "")),
        ("restarts", f"{details['restarts']} automatic; {details['failed_runs']} in a row failed"),
        ("last exit", f"{last['reason']}, {local_time(last['at'])}" if last else ""),
        ("uses", "" if cpu is None or memory is None else f"{cpu:.1f}% CPU, {bytes_words(memory)} of memory"),
        ("log", details["log"]),
    ]


def _execution_pairs(spec: Document) -> list[tuple[str, str]]:
    execution: Document = spec.get("process") or spec.get("container") or {}
    command = execution.get("argv") or execution.get("command") or ()
    pairs = [
        ("image", execution.get("image", "")),
        ("command", shlex.join(command)),
        ("working_dir", execution.get("working_dir") or ""),
        ("user", execution.get("user") or ""),
        ("group", execution.get("group") or ""),
    ]
    for name, value in execution.get("environment", {}).items():
        pairs.append(("environment", f"{name}={value}"))
    return pairs


def _container_pairs(details: ComponentDetails) -> list[tuple[str, str]]:
    """What its engine says of the container, and what it was asked for beside the command."""
    execution: Document = details["spec"].get("container") or {}
    facts: Document = details.get("container_facts") or {}
    health = facts.get("health")
    says = ""
    if health is not None:
        output = f": {' '.join(health['output'].split())}" if health["output"] else ""
        says = ("passes" if health["passes"] else "does not pass") + output
    limits = execution.get("limits") or {}
    return [
        ("name", facts.get("name") or execution.get("container_name", "")),
        ("id", facts.get("id", "")),
        ("engine", facts.get("engine", "")),
        ("ports", ", ".join(facts.get("ports") or ())),
        ("health check", says),
        ("networks", ", ".join(facts.get("networks") or [n["name"] for n in execution.get("networks", ())])),
        ("volumes", ", ".join(_mount_words(mount) for mount in execution.get("mounts", ()))),
        ("limits", ", ".join(_limit_words(name, value) for name, value in limits.items() if value is not None)),
    ]


def _limit_words(name: str, value: float) -> str:
    return f"{name} {bytes_words(int(value)) if name == 'memory' else f'{value:g}'}"


def _mount_words(mount: Document) -> str:
    source = f"{mount['source']}:" if mount["source"] else f"{mount['kind']} "
    return f"{source}{mount['target']}{':ro' if mount['read_only'] else ''}"


def _rule_pairs(spec: Document) -> list[tuple[str, str]]:
    backoff = spec["backoff"]
    most = spec["max_restarts"]
    limit = "unlimited" if most is None else f"{most} in {seconds_words(spec['restart_window'])}"
    return [
        ("restart", spec["restart"]),
        ("min_uptime", seconds_words(spec["min_uptime"])),
        ("max_restarts", limit),
        (
            "backoff",
            f"{seconds_words(backoff['initial'])}, times {backoff['factor']:g}, "
            f"at most {seconds_words(backoff['max'])}",
        ),
        ("stop", f"{_signal(spec['stop_signal'])}, SIGKILL after {seconds_words(spec['stop_timeout'])}"),
        ("profiles", ", ".join(spec["profiles"])),
        ("labels", ", ".join(f"{key}={value}" for key, value in spec["labels"].items())),
    ]


def _signal(number: int) -> str:
    from stigmer_pm.spec.signals import signal_name

    return signal_name(number) if number else "the image's stop signal"


def _dependency_lines(dependencies: Sequence[Document]) -> list[str]:
    rows = [(d["name"], d["condition"], "met" if d["met"] else f"not met: {d['reason']}") for d in dependencies]
    return [_INDENT + line for line in aligned(rows)]


def _probe_lines(probes: Sequence[Document]) -> list[str]:
    lines = []
    for probe in probes:
        lines.append(f"{_INDENT}{probe['kind']}: {plain(probe['check'])}")
        lines.append(
            f"{_INDENT * 2}every {seconds_words(probe['period'])}, timeout {seconds_words(probe['timeout'])}, "
            f"fails after {probe['failure_threshold']}, succeeds after {probe['success_threshold']}"
        )
        last = probe["last"]
        result = f"{_INDENT * 2}{probe['result']}"
        if last is not None:
            output = f": {last['output']}" if last["output"] else ""
            row = f", {probe['consecutive']} in a row" if probe["consecutive"] else ""
            result += f"; last: {last['outcome']}{row}, at {local_time(last['at'])}{output}"
        lines.append(plain(result))
    return lines


def _run_lines(runs: Sequence[Document]) -> list[str]:
    if not runs:
        return []
    rows = [("RUN", "PID", "STARTED", "UPTIME", "ENDED")]
    for run in runs:
        uptime = run["uptime"]
        started = local_time(run["started_at"]) if run["started_at"] else "-"
        rows.append(
            (
                str(run["run"]),
                str(run["pid"] or "-"),
                started,
                "-" if uptime is None else seconds_words(uptime),
                run["ended"] or "runs",
            )
        )
    return [_INDENT + line for line in aligned(rows, right=frozenset({0, 1}))]


def _event_lines(terminal: Terminal, events: Sequence[EventEntry]) -> list[str]:
    rows = [(local_time(event["at"]), event["kind"], plain(event["message"])) for event in events]

    def paint(row: int, column: int, text: str) -> str:
        return terminal.paint(text, COLORS.get(events[row]["kind"])) if column == 1 else text

    return [_INDENT + line for line in aligned(rows, paint=paint)]
