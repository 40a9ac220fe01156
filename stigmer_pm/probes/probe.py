"""A probe that can be asked: what every probe offers, whoever wrote it, and the one that the file declares."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from stigmer_pm.probes.result import CheckResult
from stigmer_pm.probes.runner import ProbeContext, handler_name, run_check
from stigmer_pm.spec import ProbeSpec


@runtime_checkable
class HealthProbe(Protocol):
    """A health probe of one run. It makes attempts; when they are made and what they come to is the core's to decide.

    The fields are those of the Kubernetes API, in seconds and plain numbers.
    """

    @property
    def type(self) -> str:
        """The name of its handler, as it stands in the file: ``http``, ``tcp``, ``exec``, ``grpc``, ``log``, or another
        package's."""
        ...

    @property
    def interval(self) -> float:
        """Seconds from one attempt to the next (``period``; Kubernetes: ``periodSeconds``)."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds after which an attempt has failed (Kubernetes: ``timeoutSeconds``)."""
        ...

    @property
    def failure_threshold(self) -> int:
        """So many failures in a row count (Kubernetes: ``failureThreshold``)."""
        ...

    async def check(self) -> CheckResult:
        """Make one attempt, which ends within ``timeout``.

        Raises nothing but ``CancelledError``, after which nothing of the attempt is left.
        """
        ...


class DeclaredProbe:
    """A probe of the file, together with what its attempts need from the run."""

    def __init__(self, spec: ProbeSpec, context: ProbeContext) -> None:
        self._spec = spec
        self._context = context

    @property
    def type(self) -> str:
        """The name of its handler."""
        return handler_name(self._spec)

    @property
    def interval(self) -> float:
        """Seconds from one attempt to the next."""
        return self._spec.period

    @property
    def timeout(self) -> float:
        """Seconds after which an attempt has failed."""
        return self._spec.timeout

    @property
    def failure_threshold(self) -> int:
        """So many failures in a row count."""
        return self._spec.failure_threshold

    async def check(self) -> CheckResult:
        """Make one attempt by the handler that the file names."""
        return await run_check(self._spec, self._context)
