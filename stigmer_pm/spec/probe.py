"""Probes as values: Kubernetes' fields, resolved to seconds and plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ProbeKind(StrEnum):
    """What a probe is for (Kubernetes: startupProbe, livenessProbe, readinessProbe)."""

    STARTUP = "startup"
    LIVENESS = "liveness"
    READINESS = "readiness"


#: The hosts by which a file means the component itself, whatever its address is.
ITSELF = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """GET ``scheme://host:port/path``; 200 to 399 is success. ``headers`` keep order, names may repeat."""

    port: int
    path: str = "/"
    host: str = "127.0.0.1"
    scheme: str = "http"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TcpCheck:
    """A connect to ``host:port`` that succeeds is success; nothing is sent or read."""

    port: int
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ExecCheck:
    """Exit status 0 is success. Runs with the component's environment, folder and user, and with no shell."""

    argv: tuple[str, ...]
    working_dir: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class GrpcCheck:
    """``grpc.health.v1.Health/Check`` of ``service`` (empty: the server as a whole) that answers SERVING is success."""

    port: int
    service: str = ""
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class LogCheck:
    """A line of this run's log in which the regular expression ``pattern`` is found is success, from then on."""

    pattern: str


@dataclass(frozen=True, slots=True)
class PluginCheck:
    """A check of another package: the name of its entry point, and its own fields as JSON text."""

    type: str
    fields: str = "{}"


Check = HttpCheck | TcpCheck | ExecCheck | GrpcCheck | LogCheck | PluginCheck


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """One probe: exactly one handler with its check, and when and how often it is asked.

    Times are seconds. The defaults are those of the Kubernetes API.
    """

    kind: ProbeKind
    http: HttpCheck | None = None
    tcp: TcpCheck | None = None
    exec: ExecCheck | None = None
    grpc: GrpcCheck | None = None
    log: LogCheck | None = None
    plugin: PluginCheck | None = None
    initial_delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace: float | None = None

    @property
    def check(self) -> Check:
        """The handler's own fields."""
        check = self.http or self.tcp or self.exec or self.grpc or self.log or self.plugin
        assert check is not None, "a probe always has a handler"
        return check


@dataclass(frozen=True, slots=True)
class Probes:
    """The probes of a component, ``None`` where it declares none."""

    startup: ProbeSpec | None = None
    liveness: ProbeSpec | None = None
    readiness: ProbeSpec | None = None

    def declared(self) -> tuple[ProbeSpec, ...]:
        """The probes there are, startup first."""
        return tuple(p for p in (self.startup, self.liveness, self.readiness) if p is not None)
