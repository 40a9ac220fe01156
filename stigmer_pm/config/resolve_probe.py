"""Probes of the file as probes of the spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from stigmer_pm.config.field_lists import CommandText, split_command
from stigmer_pm.config.fields import FieldError
from stigmer_pm.config.model_handlers import (
    ExecHandler,
    GrpcHandler,
    HttpHandler,
    KubernetesHttpHandler,
    LogHandler,
    TcpHandler,
)
from stigmer_pm.config.model_probe import Probe
from stigmer_pm.config.resolve_context import Part
from stigmer_pm.config.resolve_execution import is_container
from stigmer_pm.config.resolve_plugin import find_plugins, resolve_plugin
from stigmer_pm.config.spellings import HANDLERS, SPELLINGS
from stigmer_pm.spec.probe import (
    Check,
    ExecCheck,
    GrpcCheck,
    HttpCheck,
    LogCheck,
    PluginCheck,
    ProbeKind,
    Probes,
    ProbeSpec,
    TcpCheck,
)

T = TypeVar("T")

_LOCAL = "127.0.0.1"
_OTHER_SPELLING = {ours: kubernetes for kubernetes, ours in SPELLINGS.items()}


def resolve_probes(part: Part, named_ports: Mapping[str, int]) -> Probes:
    """The probes of a component. ``named_ports``: those that its ``ports`` give a name."""
    if part.model.probes is None:
        return Probes()
    found: dict[ProbeKind, ProbeSpec] = {}
    for kind in ProbeKind:
        for key in (kind.value, _OTHER_SPELLING[kind.value]):
            probe: Probe | None = getattr(part.model.probes, key)
            if probe is None:
                continue
            if kind in found:
                part.complain(f"'{kind.value}' and '{key}' are two spellings of one probe", "probes", key, at_key=True)
            spec = _Resolving(part, kind, ("probes", key), probe, named_ports).spec()
            if spec is not None:
                found[kind] = spec
    return Probes(*(found.get(kind) for kind in ProbeKind))


class _Resolving:
    """One probe."""

    def __init__(
        self, part: Part, kind: ProbeKind, path: tuple[str, str], probe: Probe, named_ports: Mapping[str, int]
    ) -> None:
        self._part = part
        self._kind = kind
        self._path = path
        self._probe = probe
        self._named_ports = named_ports

    def spec(self) -> ProbeSpec | None:
        """The probe; ``None`` when it has no handler that can be used."""
        success_threshold = self._number("success_threshold") or 1
        if success_threshold != 1 and self._kind is not ProbeKind.READINESS:
            words = f"expected 1 for a {self._kind.value} probe, found {success_threshold:.0f}"
            self._complain(words, self._spelled("success_threshold"))
        grace = self._number("termination_grace")
        if grace is not None and self._kind is ProbeKind.READINESS:
            self._complain("not for a readiness probe, which ends nothing", self._spelled("termination_grace"))
        handler = self._handler()
        check = None if handler is None else self._check(handler)
        if check is None:
            return None
        # Kubernetes: 0 and absent are the same, but for initialDelaySeconds.
        return ProbeSpec(
            kind=self._kind,
            http=check if isinstance(check, HttpCheck) else None,
            tcp=check if isinstance(check, TcpCheck) else None,
            exec=check if isinstance(check, ExecCheck) else None,
            grpc=check if isinstance(check, GrpcCheck) else None,
            log=check if isinstance(check, LogCheck) else None,
            plugin=check if isinstance(check, PluginCheck) else None,
            initial_delay=self._number("initial_delay") or 0.0,
            period=self._number("period") or 10.0,
            timeout=self._number("timeout") or 1.0,
            success_threshold=int(success_threshold),
            failure_threshold=int(self._number("failure_threshold") or 3),
            termination_grace=grace,
        )

    def _number(self, name: str) -> float | None:
        ours, kubernetes = getattr(self._probe, name), getattr(self._probe, _OTHER_SPELLING[name])
        if ours is not None and kubernetes is not None:
            other = _OTHER_SPELLING[name]
            self._complain(f"'{name}' and '{other}' are two spellings of one field", other, at_key=True)
        found: float | None = kubernetes if ours is None else ours
        return found

    def _spelled(self, name: str) -> str:
        return name if getattr(self._probe, name) is not None else _OTHER_SPELLING[name]

    def _handler(self) -> str | None:
        """The name of the one handler. Kubernetes: of two, the later in the order of HANDLERS is forbidden."""
        said = [name for name in HANDLERS if getattr(self._probe, name) is not None or not self._is_whole(name)]
        others = [name for name in self._probe.model_extra or () if not name.startswith("x-")]
        plugins = find_plugins(self._part, self._path, others) if others else []
        said += plugins
        if not said:
            if self._is_whole() and not others:
                self._complain("expected a handler: http, tcp, exec, grpc or log", at_key=True)
            return None
        for other in said[1:]:
            self._complain(f"expected one handler, found '{said[0]}' as well", other, at_key=True)
        return said[0] if len(said) == 1 and self._is_whole(said[0]) else None

    def _check(self, name: str) -> Check | None:
        if name in (self._probe.model_extra or {}):
            return resolve_plugin(self._part, (*self._path, name), (self._probe.model_extra or {})[name])
        handler: object = getattr(self._probe, name)
        if isinstance(handler, (HttpHandler, KubernetesHttpHandler)):
            port = self._port(name, handler.port)
            given = handler.headers if isinstance(handler, HttpHandler) else handler.httpHeaders
            return HttpCheck(
                port=port or 1,
                path=handler.path or "/",
                host=self._host(handler.host),
                scheme=(handler.scheme or "http").lower(),
                headers=given or (),
            )
        if isinstance(handler, TcpHandler):
            return TcpCheck(port=self._port(name, handler.port) or 1, host=self._host(handler.host))
        if isinstance(handler, GrpcHandler):
            return self._grpc(handler)
        if isinstance(handler, LogHandler):
            return self._log(handler)
        assert isinstance(handler, ExecHandler), "these are all handlers of the model"
        return self._exec(handler.command)

    def _grpc(self, handler: GrpcHandler) -> GrpcCheck:
        from importlib.util import find_spec

        if find_spec("grpc") is None:
            words = "needs the library grpcio, which is not installed; install it with: pip install 'stigmer-pm[grpc]'"
            self._complain(words, "grpc", at_key=True)
        return GrpcCheck(handler.port, handler.service or "", self._host(handler.host))

    def _log(self, handler: LogHandler) -> LogCheck:
        if self._kind is ProbeKind.LIVENESS:
            words = "for startup and readiness only: what a program has said once says nothing about how it is now"
            self._complain(words, "log", at_key=True)
        return LogCheck(handler.pattern)

    def _exec(self, command: CommandText) -> ExecCheck | None:
        if command.words is not None:
            return ExecCheck(command.words)
        try:
            return ExecCheck(split_command(command.text or ""))
        except FieldError as error:
            self._complain(str(error), "exec", "command")
            return None

    def _host(self, host: str | None) -> str:
        """Where to connect. For a container the default stands for its address, and ``localhost`` says the same."""
        return _LOCAL if host is None or (host == "localhost" and is_container(self._part)) else host

    def _port(self, handler: str, port: int | str) -> int | None:
        if isinstance(port, int):
            return port
        found = self._named_ports.get(port)
        if found is None and self._part.is_whole("ports"):
            known = ", ".join(f"'{name}'" for name in self._named_ports)
            words = f"there is: {known}" if known else "write its number"
            self._complain(f"no port under 'ports' is called '{port}'; {words}", handler, "port")
        return found

    def _complain(self, message: str, *path: str, at_key: bool = False) -> None:
        self._part.complain(message, *self._path, *path, at_key=at_key)

    def _is_whole(self, *path: str) -> bool:
        return self._part.is_whole(*self._path, *path)
