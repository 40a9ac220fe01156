"""What is executed for a process, and what containers share with it."""

from __future__ import annotations

import os

from stigmer_pm.config.field_lists import CommandText, split_command
from stigmer_pm.config.fields import FieldError
from stigmer_pm.config.model_component import CONTAINER_ONLY, Component
from stigmer_pm.config.resolve_context import Part
from stigmer_pm.config.resolve_environment import resolve_environment
from stigmer_pm.config.suggestions import meant
from stigmer_pm.spec.component import Limits, ProcessExecution

# What only the engine of containers measures yet; left alone, a process would be without the limit that it asks for.
_LATER_LIMITS = ("memory", "cpu")


def is_container(part: Part) -> bool:
    """It has an image, or something that should have been one."""
    return part.model.image is not None or _has_tried(part, "image")


def _has_tried(part: Part, key: str) -> bool:
    """What is wrong with ``key`` has been told; or with an unknown key that means it, as Compose's ``build`` does."""
    if not part.is_whole(key):
        return True
    known = Component.model_fields
    unknown = [str(place[0]) for place in part.checked.left_out if len(place) == 1 and place[0] not in known]
    may_hint = part.project.read.problems.may_hint
    return any(may_hint(len(known)) and meant(word, known) == key for word in unknown)


def resolve_process(part: Part) -> ProcessExecution | None:
    """A local process; ``None`` when nothing says which."""
    model, project = part.model, part.project
    for key in sorted(part.own.intersection(CONTAINER_ONLY)):
        part.complain("for containers only; this component has no 'image'", key, at_key=True)
    limits = model.limits
    for key in _LATER_LIMITS:
        if getattr(limits, key, None) is not None:
            words = "not supported yet for a process; remove it, or move it to components with an 'image'"
            part.complain(words, "limits", key, at_key=True)
    environment = resolve_environment(part)
    if model.command is None:
        if not _has_tried(part, "command"):
            part.complain("expected 'command' (a process) or 'image' (a container)", at_key=True)
        return None
    argv = _shell_argv(part, model.command) if model.shell else split_argv(part, model.command, "command")
    return ProcessExecution(
        argv=argv or ("",),
        working_dir=project.absolute(model.working_dir or "."),
        log=log_path(part),
        environment=environment,
        user=model.user,
        group=model.group,
        umask=model.umask,
        nice=model.nice,
        limits=Limits() if limits is None else Limits(limits.nofile, limits.nproc, limits.core),
    )


def log_path(part: Part) -> str:
    """The absolute path of the log: as given, or NAME.log in the state folder."""
    log = part.model.log
    if log is not None and log.path is not None:
        return part.project.absolute(log.path)
    return os.path.join(part.project.state_dir, "logs", f"{part.name}.log")


def split_argv(part: Part, command: CommandText, key: str) -> tuple[str, ...]:
    """The words of a command, which stands at ``key``. What is wrong with it is noted; there are none then."""
    if command.words is not None:
        return command.words
    try:
        return split_command(command.text or "")
    except FieldError as error:
        hint = ", or 'shell: true' to run it by a shell" if key == "command" and not is_container(part) else ""
        part.complain(f"{error}; close it{hint}" if "quotation" in str(error) else str(error), key)
        return ()


def _shell_argv(part: Part, command: CommandText) -> tuple[str, ...]:
    if command.text is None:
        part.complain("expected a string as the command: 'shell: true' runs no list of words", "shell")
        return ()
    return ("/bin/sh", "-c", command.text)
