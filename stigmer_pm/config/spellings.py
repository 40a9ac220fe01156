"""The two spellings of probes."""

from __future__ import annotations

from collections.abc import Mapping

#: Kubernetes' spelling of each field, with ours.
SPELLINGS: Mapping[str, str] = {
    "startupProbe": "startup",
    "livenessProbe": "liveness",
    "readinessProbe": "readiness",
    "httpGet": "http",
    "tcpSocket": "tcp",
    "initialDelaySeconds": "initial_delay",
    "periodSeconds": "period",
    "timeoutSeconds": "timeout",
    "successThreshold": "success_threshold",
    "failureThreshold": "failure_threshold",
    "terminationGracePeriodSeconds": "termination_grace",
}
#: In the order in which Kubernetes looks for them; of two, the later one is named.
HANDLERS = ("exec", "http", "httpGet", "tcp", "tcpSocket", "grpc", "log")
