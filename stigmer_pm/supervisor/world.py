"""The real world: local processes, collected and probed by this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.events import ProbeDone
from stigmer_pm.probes import DeclaredProbe, HealthProbe, ProbeContext
from stigmer_pm.runtime import system
from stigmer_pm.runtime.probe_child import CommandSpawner
from stigmer_pm.runtime.process import ProcessRuntime, Started, fingerprint
from stigmer_pm.runtime.reaper import Reaper
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.spec import ComponentSpec, ExecCheck, PluginCheck, ProbeSpec
from stigmer_pm.supervisor.pidfiles import PidFiles
from stigmer_pm.supervisor.prober import Prober
from stigmer_pm.supervisor.surroundings import News


class LocalWorld:
    """Runs of local processes. See :class:`stigmer_pm.supervisor.surroundings.World` for what each call means."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pidfiles: PidFiles,
        *,
        key: str,
        base_environment: Mapping[str, str],
    ) -> None:
        """``key`` marks the processes of this project; ``base_environment`` lies beneath what the file names."""
        self._news: News | None = None
        self._pidfiles = pidfiles
        self._reaper = Reaper(loop)
        self._runtime = ProcessRuntime(loop, self._reaper, self, key=key, base_environment=base_environment)
        self._spawner = CommandSpawner(loop, self._reaper)
        self._prober = Prober(loop, self._probed)

    def begin(self, news: News) -> None:
        """Collect children, and tell of them."""
        self._news = news
        self._reaper.start()

    def start(self, instance: str, run: int, spec: ComponentSpec) -> Started:
        """Start a run of a process."""
        if spec.process is None:
            raise SpawnFailure("run its container", "", 0, "containers are not supported yet")
        started = self._runtime.start(instance, run, spec.process)
        self._pidfiles.write(instance, started.pid)
        return started

    def adopt(self, instance: str, run: int, pid: int, started: int) -> bool:
        """Watch a run that an earlier supervisor started."""
        return self._runtime.adopt(instance, run, pid, started)

    def find_started(self, instance: str, run: int) -> tuple[int, int] | None:
        """Look for the mark of a run."""
        return self._runtime.find_started(instance, run)

    def fingerprint(self, spec: ComponentSpec) -> str:
        """Of a process."""
        return "" if spec.process is None else fingerprint(spec.process)

    def find_marked(self) -> dict[str, tuple[int, int, int, str]]:
        """Look for the marks of all runs of this project."""
        return self._runtime.find_marked()

    def boot_id(self) -> str:
        """Of this machine."""
        return system.boot_id()

    def count_leftovers(self, instance: str, run: int) -> int:
        """What lives of a run whose leader is gone."""
        return self._runtime.count_leftovers(instance, run)

    def signal(self, instance: str, run: int, number: int) -> None:
        """Signal a run."""
        self._runtime.signal(instance, run, number)

    def signal_leader(self, instance: str, run: int, number: int) -> bool:
        """Signal the first process of a run."""
        return self._runtime.signal_leader(instance, run, number)

    def kill(self, instance: str, run: int) -> None:
        """SIGKILL everything of a run."""
        self._runtime.kill(instance, run)

    def attempt(self, instance: Instance, run: int, probe: ProbeSpec, log_from: int) -> None:
        """Ask a probe once."""

        def make() -> HealthProbe:
            return DeclaredProbe(probe, self._context(instance, run, probe, log_from))

        self._prober.attempt(instance.state.name, run, probe, make)

    def forget(self, instance: str, run: int) -> None:
        """A run is over: its probes and its pid file go."""
        self._prober.cancel(instance, run)
        self._pidfiles.remove(instance)

    def end_strays(self, *, everything: bool) -> list[int]:
        """End orphans of runs that are over; not while commands of probes run, which are nobody's run."""
        return [] if everything and self._prober.is_busy() else self._runtime.end_strays(everything=everything)

    def look_for_lost(self) -> None:
        """Tell the ends of runs that nothing told."""
        self._runtime.look_for_lost()

    async def close(self) -> None:
        """Let go of everything."""
        await self._prober.close()
        self._runtime.close()
        self._reaper.close()

    # --- what the runtime tells ---------------------------------------------------------------------------------

    def exited(self, instance: str, run: int, status: int | None, remaining: bool) -> None:
        """The leader of a run is gone."""
        assert self._news is not None, "nothing is watched before it has begun"
        self._news.exited(instance, run, status, remaining)

    def emptied(self, instance: str, run: int) -> None:
        """The last process that a leader left behind is gone."""
        assert self._news is not None, "nothing is watched before it has begun"
        self._news.emptied(instance, run)

    def _probed(self, instance: str, result: ProbeDone) -> None:
        assert self._news is not None, "nothing is asked before it has begun"
        self._news.probed(instance, result)

    def _context(self, instance: Instance, run: int, probe: ProbeSpec, log_from: int) -> ProbeContext:
        execution = instance.spec.process
        assert execution is not None, "only what runs is probed, and only processes run"
        environment: Mapping[str, str] = {}
        if isinstance(probe.check, (ExecCheck, PluginCheck)):  # the others need none, and it is a large copy
            environment = self._runtime.environment(execution, self._runtime.mark_of(instance.state.name, run))
        return ProbeContext(
            environment,
            execution.working_dir,
            self._spawner,
            execution.user,
            execution.group,
            log=execution.log,
            log_from=log_from,
        )
