"""What a component is once its file has been read: plain values, resolved, with every default filled in.

A spec has two halves, and the line between them decides what an edit does ("Applying an edited file"):

* ``process`` or ``container`` is *what is executed*. A difference there restarts the component.
* Everything else is *how it is watched or described*. A difference there is applied to what runs.

Durations are seconds, sizes are bytes, paths are absolute, signals are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stigmer_pm.spec.probe import Probes


class RestartPolicy(StrEnum):
    """When a run that ended is followed by another one (Docker's names, Compose's ``no`` is ``never``)."""

    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    UNLESS_STOPPED = "unless-stopped"
    NEVER = "never"


class Condition(StrEnum):
    """What a dependency must have reached before its dependent starts."""

    STARTED = "started"
    READY = "ready"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait after the n-th failed run in a row: ``initial * factor ** (n - 1)`` seconds, at most ``max``.

    ``jitter`` is the share of the delay that chance may take off, so a delay never exceeds what is documented.
    """

    initial: float = 1.0
    factor: float = 2.0
    max: float = 60.0
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class SuccessExits:
    """The exit statuses and signals that count as success for ``on-failure`` and for ``completed``."""

    codes: tuple[int, ...] = (0,)
    signals: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Dependency:
    """One entry of ``depends_on``; ``restart``: restart the dependent when this one restarts."""

    name: str
    condition: Condition
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Resource limits of a process (``setrlimit``); ``None`` leaves what the supervisor has."""

    nofile: int | None = None
    nproc: int | None = None
    core: int | None = None


@dataclass(frozen=True, slots=True)
class ProcessExecution:
    """What is executed for a local process.

    ``environment`` holds only what the file names; beneath it lies the environment of the ``up`` that started
    the supervisor. ``argv`` of a component with ``shell: true`` is ``/bin/sh -c COMMAND``.
    """

    argv: tuple[str, ...]
    working_dir: str
    log: str
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    group: str | None = None
    umask: int | None = None
    nice: int | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class PortMapping:
    """One published port (Compose's long form).

    Without ``published`` the engine takes any free port of the machine; with ``published_end`` as well, any free one
    from ``published`` to that one.
    """

    target: int
    published: int | None = None
    host_ip: str | None = None
    protocol: str = "tcp"
    published_end: int | None = None


@dataclass(frozen=True, slots=True)
class Mount:
    """One volume (Compose's long form).

    ``kind`` is ``bind``, ``volume`` or ``tmpfs``. ``source`` is an absolute path for a bind. For a volume it is the
    name on the engine (PROJECT-NAME, or the name alone when it is external), and ``None`` for an anonymous one.

    Binds: ``create`` makes the source, as a folder, when there is nothing. Binds and named volumes: ``selinux`` is
    ``z`` (shared label), ``Z`` (private) or ``None``. Volumes: ``nocopy`` leaves a new one empty, where the engine
    would copy what the image has there; ``subpath`` is the part of it that is mounted; ``external`` ones must be
    there, and are neither made nor removed. A tmpfs: ``size`` is bytes, ``mode`` the permission bits.
    """

    kind: str
    target: str
    source: str | None = None
    read_only: bool = False
    create: bool = True
    size: int | None = None
    mode: int | None = None
    selinux: str | None = None
    nocopy: bool = False
    subpath: str | None = None
    external: bool = False


@dataclass(frozen=True, slots=True)
class Network:
    """One network that a container joins, as the file names it, and further names that it has there.

    The names ``host`` (the machine's own network) and ``none`` stand alone, and without aliases.
    """

    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerLimits:
    """Resource limits of a container; ``None`` leaves what the engine gives. ``memory`` and ``core`` are bytes, ``cpu``
    is a number of CPUs; -1 is no limit for ``nofile``, ``nproc`` and ``core``."""

    memory: int | None = None
    cpu: float | None = None
    nofile: int | None = None
    nproc: int | None = None
    core: int | None = None


@dataclass(frozen=True, slots=True)
class ContainerExecution:
    """What is executed for a container on a Docker engine.

    ``project`` is the name of the project: it stands in the container's labels and before the names of the networks
    that are made for it. ``networks`` are named as in the file; without any, it joins the project's own network.
    """

    image: str
    container_name: str
    project: str
    log: str
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[PortMapping, ...] = ()
    mounts: tuple[Mount, ...] = ()
    networks: tuple[Network, ...] = ()
    working_dir: str | None = None
    user: str | None = None
    pull: str = "missing"
    platform: str | None = None
    limits: ContainerLimits = field(default_factory=ContainerLimits)


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """One component as the file declares it, resolved. Exactly one of ``process`` and ``container`` is set.

    ``max_restarts`` is ``None`` for ``unlimited``. ``stop_signal`` is 0 for a container whose file names none: then it
    is the image's STOPSIGNAL, or SIGTERM.
    """

    name: str
    process: ProcessExecution | None = None
    container: ContainerExecution | None = None
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    restart: RestartPolicy = RestartPolicy.ALWAYS
    min_uptime: float = 10.0
    max_restarts: int | None = 10
    restart_window: float = 600.0
    backoff: Backoff = field(default_factory=Backoff)
    success: SuccessExits = field(default_factory=SuccessExits)
    stop_signal: int = 15
    stop_timeout: float = 10.0
    probes: Probes = field(default_factory=Probes)
    depends_on: tuple[Dependency, ...] = ()
    profiles: tuple[str, ...] = ()
    autostart: bool = True

    @property
    def kind(self) -> str:
        """``process`` or ``container``, as ``ps`` shows it."""
        return "process" if self.process is not None else "container"

    @property
    def log(self) -> str:
        """The absolute path of the log file."""
        if self.process is not None:
            return self.process.log
        return self.container.log if self.container is not None else ""
