"""``stigmer-pm up``."""

from __future__ import annotations

import json
import time

import click

from stigmer_pm.cli.acting import Watching
from stigmer_pm.cli.applying import Wanted, apply, plan, read_wanted
from stigmer_pm.cli.errors import CliError, nearest
from stigmer_pm.cli.foreground import Front, run_in_front
from stigmer_pm.cli.options import (
    chosen_profiles,
    example,
    file_option,
    json_option,
    label_option,
    names_argument,
    no_wait_option,
    profile_option,
    settle_option,
    timeout_option,
)
from stigmer_pm.cli.screen.outcome import report_unwell, summary
from stigmer_pm.cli.screen.plan import plan_lines, say_changes
from stigmer_pm.cli.screen.progress import watch
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.documents import ApplyAnswer, Document
from stigmer_pm.client.requests import Outcome, Supervisor

#: As the core has it: whatever run they have, they are to go.
_ANY_RUN = 2**62


@click.command(
    "up",
    short_help="Make the machine match the file, and wait until all is ready.",
    epilog=example("up", "up --dry-run", "up stigmer-server --timeout 1m", "up --foreground"),
)
@file_option()
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
@no_wait_option
@timeout_option
@settle_option
@profile_option
@click.option("--watch", "is_watching", is_flag=True, help="Stay, and apply the file again whenever it changes.")
@click.option("--foreground", is_flag=True, help="Stay in front with the merged logs; Ctrl-C stops everything.")
@click.option("--exit-code-from", metavar="NAME", help="With --foreground: end with this component, by its status.")
@click.option("--exit-on-failure", is_flag=True, help="With --foreground: end when a component is given up on.")
@click.option(
    "--leave-running",
    is_flag=True,
    help="With --foreground or --service: SIGTERM and Ctrl-C end the supervisor alone, and what runs goes on.",
)
@click.option(
    "--service",
    "is_service",
    is_flag=True,
    help="Stay in front as a service manager wants it: without logs, until told to end; goes on with what runs.",
)
@json_option
@label_option
@names_argument()
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    profiles: tuple[str, ...],
    dry_run: bool,
    no_wait: bool,
    timeout: float | None,
    settle: float,
    is_watching: bool,
    foreground: bool,
    exit_code_from: str | None,
    exit_on_failure: bool,
    leave_running: bool,
    is_service: bool,
    as_json: bool,
) -> int:
    """Make the machine match the file, and wait until every component is ready, completed or failed.

    Starts the supervisor when none runs. Applies only what differs: what is unchanged goes on with the same pid. With
    names, only those and what they need. A file with an error changes nothing. A component that would be in backoff
    for longer than 5 seconds is reported and not waited for, unless --timeout is given.
    """
    front = Front(exit_code_from, exit_on_failure, leave_running, is_service)
    _check_options(front, foreground=foreground, others=dry_run or no_wait or is_watching or as_json)
    session.say_which_file()
    named_profiles, profiles = profiles, chosen_profiles(profiles, session.environ)

    def read() -> Wanted:
        found = read_wanted(session, names, labels, profiles)
        _check_profiles(found, named_profiles)
        return found

    if is_service:
        from stigmer_pm.cli.service import run_as_service

        return run_as_service(session, read, front)
    wanted = read()
    if dry_run:
        return _show_plan(session, wanted, as_json=as_json)
    if foreground:
        return run_in_front(session, wanted, front)
    watching = Watching(no_wait, timeout, settle)
    status = bring_up(session, wanted, watching, as_json=as_json)
    if is_watching:
        from stigmer_pm.cli.file_watch import apply_edits

        apply_edits(
            session,
            wanted,
            read,
            lambda edited: bring_up(session, edited, watching, as_json=as_json),
        )
    return status


def bring_up(session: Session, wanted: Wanted, watching: Watching, *, as_json: bool) -> int:
    """Apply the file, wait, and report. The exit status."""
    supervisor, answer = apply(session, wanted, watching.timeout)
    say_changes(session.terminal, answer["changes"])
    if watching.no_wait:
        _print_begun(session, answer, as_json=as_json)
        return 0
    outcome = _wait(session, supervisor, answer, watching)
    if as_json:
        document: Document = {
            "reached": outcome.reached,
            "timed_out": outcome.timed_out,
            "instances": outcome.instances,
        }
        session.terminal.print(json.dumps(_changes_of(answer) | document, indent=2, ensure_ascii=False))
    else:
        session.terminal.print(summary(outcome, "ready", nothing_changed=not answer["changes"]))
    return 0 if outcome.reached else 1


def _wait(session: Session, supervisor: Supervisor, answer: ApplyAnswer, watching: Watching) -> Outcome:
    """Until what is to run is ready, and what is to go has stopped; both within one timeout."""
    ends_at = None if watching.timeout is None else time.monotonic() + watching.timeout
    messages = supervisor.wait(
        answer["targets"], settle=watching.settle, timeout=watching.timeout, patience=watching.patience
    )
    outcome = watch(session.terminal, messages, "ready")
    report_unwell(session.terminal, outcome, "ready", watching.timeout)
    stopping = answer.get("stopping") or []
    if not stopping:
        return outcome
    left = None if ends_at is None else max(0.0, ends_at - time.monotonic())
    gone = watch(
        session.terminal, supervisor.wait(dict.fromkeys(stopping, _ANY_RUN), goal="stopped", timeout=left), "stopped"
    )
    report_unwell(session.terminal, gone, "stopped", watching.timeout)
    return Outcome(
        outcome.reached and gone.reached, outcome.timed_out or gone.timed_out, outcome.instances + gone.instances
    )


def _show_plan(session: Session, wanted: Wanted, *, as_json: bool) -> int:
    session.discard_seed()
    changes, unchanged = plan(session, wanted)
    if as_json:
        session.terminal.print(json.dumps({"changes": changes, "unchanged": unchanged}, indent=2, ensure_ascii=False))
        return 0
    for line in plan_lines(session.terminal, changes, unchanged):
        session.terminal.print(line)
    return 0


def _print_begun(session: Session, answer: ApplyAnswer, *, as_json: bool) -> None:
    if as_json:
        session.terminal.print(json.dumps(_changes_of(answer), indent=2, ensure_ascii=False))
        return
    count = len(answer["changes"])
    text = f"{count} change{'' if count == 1 else 's'} begun" if count else "nothing changed"
    session.terminal.print(f"{text}; 'stigmer-pm wait' waits for the result")


def _changes_of(answer: ApplyAnswer) -> Document:
    return {"changes": answer["changes"], "unchanged": answer["unchanged"]}


def _check_profiles(wanted: Wanted, named: tuple[str, ...]) -> None:
    """One that is named must be there; those of the environment may be another project's."""
    known = sorted({profile for component in wanted.spec.components for profile in component.profiles})
    for profile in named:
        if profile not in known and profile != "*":
            hint = f"there is: {', '.join(known)}" if known else "no component has one"
            raise CliError(f"no component is in the profile '{profile}'{nearest(profile, known)}", hint)


def _check_options(front: Front, *, foreground: bool, others: bool) -> None:
    if foreground and front.is_service:
        raise click.UsageError("give --foreground or --service, not both")
    if (foreground or front.is_service) and others:
        name = "--service" if front.is_service else "--foreground"
        raise click.UsageError(f"{name} goes with neither --dry-run, --no-wait, --watch nor --json")
    if not foreground and (front.exit_code_from or front.exit_on_failure):
        raise click.UsageError("--exit-code-from and --exit-on-failure need --foreground")
    if not (foreground or front.is_service) and front.leaves_running:
        raise click.UsageError("--leave-running needs --foreground or --service")
