"""What is executed: a process, or a container."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from stigmer_pm.config.field_lists import CommandText, split_command
from stigmer_pm.config.fields import FieldError, found_words
from stigmer_pm.config.model_component import CONTAINER_ONLY, PROCESS_ONLY
from stigmer_pm.config.model_container import MountBlock, PortBlock
from stigmer_pm.config.resolve_context import Part
from stigmer_pm.config.resolve_environment import resolve_environment
from stigmer_pm.spec.component import ContainerExecution, Limits, Mount, PortMapping, ProcessExecution

# What a Docker engine takes as the name of a container or volume.
_ENGINE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def is_container(part: Part) -> bool:
    """It has an image, or something that should have been one."""
    return part.model.image is not None or not part.is_whole("image")


def resolve_process(part: Part) -> ProcessExecution | None:
    """A local process; ``None`` when nothing says which."""
    model, project = part.model, part.project
    for key in sorted(part.own.intersection(CONTAINER_ONLY)):
        part.complain("for containers only; this component has no 'image'", key, at_key=True)
    environment = resolve_environment(part)
    if model.command is None:
        if part.is_whole("command"):
            part.complain("expected 'command' (a process) or 'image' (a container)", at_key=True)
        return None
    argv = _shell_argv(part, model.command) if model.shell else _argv(part, model.command, "command")
    limits = model.limits
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


def resolve_container(part: Part) -> ContainerExecution:
    """A container."""
    model = part.model
    for key in sorted(part.own.intersection(PROCESS_ONLY)):
        part.complain("for processes only; this component has an 'image'", key, at_key=True)
    if model.working_dir is not None and not model.working_dir.startswith("/"):
        words = f"expected an absolute path in the container, found {found_words(model.working_dir)}"
        part.complain(words, "working_dir")
    name = model.container_name or f"{part.project.name}-{part.name}"
    if not _ENGINE_NAME.fullmatch(name):
        words = "expected a name of letters, digits, '_', '.' and '-' that begins with a letter or digit"
        part.complain(f"{words}, found {found_words(name)}", "container_name")
    return ContainerExecution(
        image=model.image or "",
        container_name=name,
        log=log_path(part),
        entrypoint=None if model.entrypoint is None else _argv(part, model.entrypoint, "entrypoint"),
        command=None if model.command is None else _argv(part, model.command, "command"),
        environment=resolve_environment(part),
        ports=tuple(m for i, block in enumerate(model.ports or ()) for m in _ports(part, i, block)),
        mounts=tuple(_mount(part, i, block) for i, block in enumerate(model.volumes or ())),
        networks=model.networks or (),
        working_dir=model.working_dir,
        user=model.user,
        pull=model.pull or "missing",
        platform=model.platform,
    )


def log_path(part: Part) -> str:
    """The absolute path of the log: as given, or NAME.log in the state folder."""
    log = part.model.log
    if log is not None and log.path is not None:
        return part.project.absolute(log.path)
    return os.path.join(part.project.state_dir, "logs", f"{part.name}.log")


def named_ports(part: Part) -> dict[str, int]:
    """The container's ports that have a name."""
    return {block.name: block.target.first for block in part.model.ports or () if block.name is not None}


def _argv(part: Part, command: CommandText, key: str) -> tuple[str, ...]:
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


def _ports(part: Part, index: int, block: PortBlock) -> Iterator[PortMapping]:
    count = block.target.last - block.target.first
    if block.published is not None and block.published.last - block.published.first != count:
        part.complain("expected as many published ports as ports of the container", "ports", index)
        return
    for offset in range(count + 1):
        published = None if block.published is None else block.published.first + offset
        yield PortMapping(block.target.first + offset, published, block.host_ip, block.protocol or "tcp")


def _mount(part: Part, index: int, block: MountBlock) -> Mount:
    kind = block.type or "volume"
    if not block.target.startswith("/"):
        part.complain(
            f"expected an absolute path in the container, found {found_words(block.target)}", "volumes", index
        )
    source = block.source
    if kind == "bind":
        if source is None:
            part.complain("expected 'source', the path that is bound", "volumes", index)
        source = part.project.absolute(source or ".")
    elif kind == "tmpfs" and source is not None:
        part.complain(f"expected no 'source' for a tmpfs, found {found_words(source)}", "volumes", index)
    elif source is not None and not _ENGINE_NAME.fullmatch(source):
        words = f"expected the name of a volume, or a path that begins with '.' or '/', found {found_words(source)}"
        part.complain(words, "volumes", index)
    return Mount(kind, block.target, source, bool(block.read_only))
