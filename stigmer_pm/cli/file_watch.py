"""``up --watch``: apply the file again whenever it, or anything it is resolved from, changes."""

from __future__ import annotations

import os
from collections.abc import Callable

from stigmer_pm.cli.applying import Wanted
from stigmer_pm.cli.errors import EXPLAINED, explain
from stigmer_pm.cli.file_changes import sha256_of
from stigmer_pm.cli.session import Session
from stigmer_pm.spec import ProjectSpec

#: Milliseconds without another change before an edit counts as complete: editors write a file in several steps.
_DEBOUNCE_MS = 200


def apply_edits(
    session: Session, wanted: Wanted, read_again: Callable[[], Wanted], bring_up: Callable[[Wanted], int]
) -> None:
    """Watch until interrupted. A broken edit is shown, and changes nothing."""
    session.terminal.say(f"watching {wanted.spec.file} for changes; Ctrl-C ends the watching, and nothing else")
    known = _contents(wanted.spec)
    while True:
        _wait_for_change(known)
        # Taken before the file is read, so that what is written after that is another change.
        seen = {path: sha256_of(path) for path in known}
        try:
            wanted = read_again()
        except EXPLAINED as error:
            explain(error, session.terminal)
            session.terminal.say("nothing was changed; waiting for the next edit")
            known = seen
            continue
        known = _contents(wanted.spec)
        _bring_up(session, wanted, bring_up)


def _bring_up(session: Session, wanted: Wanted, bring_up: Callable[[Wanted], int]) -> None:
    try:
        bring_up(wanted)
    except EXPLAINED as error:  # a refused edit must not end the watching either
        explain(error, session.terminal)


def _contents(spec: ProjectSpec) -> dict[str, str | None]:
    return {entry.path: entry.sha256 for entry in spec.inputs} or {spec.file: sha256_of(spec.file)}


def _wait_for_change(known: dict[str, str | None]) -> None:
    """Until a file has another content than ``known`` says; also when it was replaced, removed or made."""
    from watchfiles import watch

    if _differs(known):
        return
    # The folders are watched, not the files: most editors replace a file by a new one of the same name.
    folders = {os.path.dirname(path) for path in known}
    existing = [folder for folder in folders if os.path.isdir(folder)]
    for _ in watch(*existing, recursive=False, debounce=_DEBOUNCE_MS, raise_interrupt=True, yield_on_timeout=True):
        if _differs(known):
            return


def _differs(known: dict[str, str | None]) -> bool:
    return any(sha256_of(path) != content for path, content in known.items())
