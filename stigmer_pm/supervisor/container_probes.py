"""Probes of a container: at its address or its published port, or by a command inside it."""

from __future__ import annotations

from dataclasses import replace

from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes import HANDLERS, CheckResult, DeclaredProbe, ProbeContext, Spawner, run_check
from stigmer_pm.runtime.containers.execution import Executed
from stigmer_pm.runtime.containers.inquiry import Inquiry
from stigmer_pm.runtime.containers.trouble import EngineRefusal, EngineSilence
from stigmer_pm.spec import ContainerExecution, ExecCheck, ProbeKind, ProbeSpec
from stigmer_pm.spec.probe import ITSELF


class ContainerProbe(DeclaredProbe):
    """A probe of one run of a container.

    While the engine is away, liveness and startup say nothing: what they find then is not the component's doing, and a
    restart would need the engine. Readiness is asked all the same, for it is about who can use it now.
    """

    def __init__(
        self,
        spec: ProbeSpec,
        inquiry: Inquiry,
        instance: str,
        run: int,
        execution: ContainerExecution,
        spawner: Spawner,
        log_from: int,
    ) -> None:
        context = ProbeContext(
            execution.environment, "/", spawner, execution.user, log=execution.log, log_from=log_from
        )
        super().__init__(spec, context)
        self._inquiry = inquiry
        self._instance = instance
        self._run = run
        self._handlers = {**HANDLERS, "exec": self._exec}

    async def check(self) -> CheckResult:
        """Make one attempt."""
        if self._inquiry.has_ended(self._instance, self._run):
            return CheckResult(Outcome.DISCARDED, "it has ended")
        if self._spec.kind is not ProbeKind.READINESS and not self._inquiry.is_found(self._instance, self._run):
            return CheckResult(Outcome.DISCARDED, self._inquiry.link.silence or "its container is being looked for")
        placed = self._placed()
        if placed is None:
            port = getattr(self._spec.check, "port", 0)
            return CheckResult(
                Outcome.FAILURE, f"port {port} is not to be reached: give the container a network, or publish the port"
            )
        result = await run_check(placed, self._context, handlers=self._handlers)
        if result.outcome is Outcome.FAILURE and self._spec.kind is not ProbeKind.READINESS:
            silence = self._inquiry.link.silence
            if silence:
                return CheckResult(Outcome.DISCARDED, silence)
        return result

    def _placed(self) -> ProbeSpec | None:
        """The probe with the address that it is asked at; ``None``: there is none."""
        for name in ("http", "tcp", "grpc"):
            check = getattr(self._spec, name)
            if check is not None and check.host in ITSELF:
                place = self._inquiry.endpoint(self._instance, self._run, check.port)
                if place is None:
                    return None
                return replace(self._spec, **{name: replace(check, host=place[0], port=place[1])})
        return self._spec

    async def _exec(self, check: ExecCheck, timeout: float, context: ProbeContext) -> CheckResult:
        try:
            done = await self._inquiry.execute(self._instance, self._run, check, timeout)
        except EngineSilence as error:
            return CheckResult(Outcome.DISCARDED, str(error))
        except EngineRefusal as error:
            return CheckResult(Outcome.FAILURE, f"cannot run '{check.argv[0]}' in the container: {error.message}")
        return _verdict(done, timeout)


def _verdict(done: Executed, timeout: float) -> CheckResult:
    if done.code == 0:
        return CheckResult(Outcome.SUCCESS, done.output)
    words = f"no answer within {timeout:g}s" if done.code is None else f"exit status {done.code}"
    return CheckResult(Outcome.FAILURE, f"{words}: {done.output}" if done.output else words)
