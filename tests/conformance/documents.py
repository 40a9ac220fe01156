"""Default and validation cases: a probe as a Pod has it, pasted into a file, through the real reader."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import yaml

from stigmer_pm.config import ConfigError, load
from stigmer_pm.spec import ComponentSpec, GrpcCheck, HttpCheck, ProbeSpec, TcpCheck

from .core_driver import KINDS, Case


def run_default(case: Case) -> list[str]:
    """What differs from the effective probe of the case; nothing when it passes."""
    probe = _probe(_load("readinessProbe", case["given"]), "readinessProbe")
    found = _as_kubernetes(probe)
    return [
        f"{key} is {found.get(key)}, expected {value}"
        for key, value in case["effective"].items()
        if found.get(key) != value
    ]


def run_validation(case: Case) -> list[str]:
    """What differs from the case: it was taken or refused wrongly, or the error names another field."""
    name = case["probe"]
    try:
        _load(name, case["spec"])
    except ConfigError as error:
        if case["valid"]:
            return [f"was refused: {error}"]
        paths = [problem.path.partition(".probes.")[2] for problem in error.problems]
        if any(_names(path, case["error_field"]) for path in paths):
            return []
        return [f"the error names {paths}, expected {case['error_field']}"]
    return [] if case["valid"] else [f"was taken, expected an error at {case['error_field']}"]


def _names(path: str, field: str) -> bool:
    """A list's own entry is as good as the list."""
    return path == field or path.startswith((f"{field}[", f"{field}."))


def _load(name: str, probe: Case) -> ComponentSpec:
    component: Case = {"command": "serve", "probes": {name: probe}}
    handler = probe.get("httpGet") or probe.get("tcpSocket") or {}
    port = handler.get("port")
    if isinstance(port, str) and not port.isdecimal():
        # Kubernetes looks a port's name up in the container; so this is one, with a port of that name where it may be.
        named = {"name": port, "target": 80} if port[:1].isalpha() and len(port) <= 15 else {"target": 80}
        component = {"image": "busybox", "ports": [named], "probes": {name: probe}}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "stigmer.yaml")
        file.write_text(yaml.safe_dump({"components": {"it": component}}), encoding="utf-8")
        (spec,) = load(str(file), {}).components
    return spec


def _probe(spec: ComponentSpec, name: str) -> ProbeSpec:
    return next(probe for probe in spec.probes.declared() if probe.kind is KINDS[name])


def _as_kubernetes(probe: ProbeSpec) -> Case:
    """The probe in the spelling and units of a Pod."""
    found: Case = {
        "initialDelaySeconds": probe.initial_delay,
        "timeoutSeconds": probe.timeout,
        "periodSeconds": probe.period,
        "successThreshold": probe.success_threshold,
        "failureThreshold": probe.failure_threshold,
    }
    match probe.check:
        case HttpCheck() as check:
            found["httpGet"] = {"port": check.port, "path": check.path, "scheme": check.scheme.upper()}
        case TcpCheck() as check:
            found["tcpSocket"] = {"port": check.port}
        case GrpcCheck() as check:
            found["grpc"] = {"port": check.port, "service": check.service}
        case other:
            found["other"] = json.dumps(str(other))
    return found
