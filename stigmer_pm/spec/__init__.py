"""The validated, resolved description of a project: the one model that the core, the runtimes and the API share."""

from stigmer_pm.spec.component import (
    Backoff,
    ComponentSpec,
    Condition,
    ContainerExecution,
    Dependency,
    Limits,
    Mount,
    PortMapping,
    ProcessExecution,
    RestartPolicy,
    SuccessExits,
)
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
from stigmer_pm.spec.project import InputFile, ProjectSpec

__all__ = [
    "Backoff",
    "Check",
    "ComponentSpec",
    "Condition",
    "ContainerExecution",
    "Dependency",
    "ExecCheck",
    "GrpcCheck",
    "HttpCheck",
    "InputFile",
    "Limits",
    "LogCheck",
    "Mount",
    "PluginCheck",
    "PortMapping",
    "ProbeKind",
    "ProbeSpec",
    "Probes",
    "ProcessExecution",
    "ProjectSpec",
    "RestartPolicy",
    "SuccessExits",
    "TcpCheck",
]
