"""A component of the file as a component of the spec, but for what needs the other components."""

from __future__ import annotations

from stigmer_pm.config.model_component import UNLIMITED
from stigmer_pm.config.model_rules import BackoffBlock
from stigmer_pm.config.resolve_container import named_ports, resolve_container
from stigmer_pm.config.resolve_context import Part
from stigmer_pm.config.resolve_execution import is_container, resolve_process
from stigmer_pm.config.resolve_probe import resolve_probes
from stigmer_pm.spec.component import Backoff, ComponentSpec, Dependency, RestartPolicy

# The defaults that the file documents are those of the spec.
_DEFAULT = ComponentSpec("")
# For a container whose file names no signal: the image's own, which is known when it runs.
_IMAGES_STOP_SIGNAL = 0


def resolve_component(part: Part, dependencies: tuple[Dependency, ...]) -> ComponentSpec:
    """The spec. What is wrong is noted; the spec is then of no use."""
    model = part.model
    has_image = is_container(part)
    return ComponentSpec(
        name=part.name,
        process=None if has_image else resolve_process(part),
        container=resolve_container(part) if has_image else None,
        description=model.description or "",
        labels=model.labels or {},
        restart=_DEFAULT.restart if model.restart is None else model.restart.policy,
        min_uptime=_DEFAULT.min_uptime if model.min_uptime is None else model.min_uptime,
        max_restarts=_max_restarts(part),
        restart_window=_DEFAULT.restart_window if model.restart_window is None else model.restart_window,
        backoff=_backoff(model.backoff),
        success=_DEFAULT.success if model.success_exit_codes is None else model.success_exit_codes,
        stop_signal=_stop_signal(part),
        stop_timeout=_DEFAULT.stop_timeout if model.stop_timeout is None else model.stop_timeout,
        probes=resolve_probes(part, named_ports(part) if has_image else {}),
        depends_on=dependencies,
        profiles=model.profiles or (),
        autostart=_DEFAULT.autostart if model.autostart is None else model.autostart,
    )


def _max_restarts(part: Part) -> int | None:
    """``max_restarts``, or the N of ``on-failure:N``; what the component says itself goes before defaults."""
    given = part.model.max_restarts
    short = part.model.restart.max_restarts if part.model.restart is not None else None
    if given is None or (short is not None and "restart" in part.own and "max_restarts" not in part.own):
        return _DEFAULT.max_restarts if short is None else short
    is_over = "max_restarts" in part.own and "restart" not in part.own
    if short is not None and short != given and not is_over:
        policy = RestartPolicy.ON_FAILURE.value
        part.complain(f"'restart: {policy}:{short}' says {short}; give only one of them", "max_restarts")
    return None if given == UNLIMITED else given


def _stop_signal(part: Part) -> int:
    if part.model.stop_signal is not None:
        return part.model.stop_signal
    return _IMAGES_STOP_SIGNAL if is_container(part) else _DEFAULT.stop_signal


def _backoff(block: BackoffBlock | None) -> Backoff:
    default = _DEFAULT.backoff
    if block is None:
        return default
    return Backoff(
        initial=default.initial if block.initial is None else block.initial,
        factor=default.factor if block.factor is None else block.factor,
        max=default.max if block.max is None else block.max,
        jitter=default.jitter if block.jitter is None else block.jitter,
    )
