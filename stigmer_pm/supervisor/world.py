"""The real world: local processes, collected by this process, containers of an engine, and the probes of both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.events import ProbeDone
from stigmer_pm.core.reasons import Reason
from stigmer_pm.core.state import Exit, Run, StopCause
from stigmer_pm.probes import DeclaredProbe, HealthProbe, ProbeContext, is_answered
from stigmer_pm.runtime import system, table
from stigmer_pm.runtime.cgroups import make_cgroups
from stigmer_pm.runtime.containers.labels import Owner
from stigmer_pm.runtime.containers.runtime import ContainerRuntime
from stigmer_pm.runtime.marked_environment import fingerprint
from stigmer_pm.runtime.probe_child import CommandSpawner
from stigmer_pm.runtime.process import ProcessRuntime
from stigmer_pm.runtime.reaper import Reaper
from stigmer_pm.runtime.run import Started
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.spec import ComponentSpec, ExecCheck, PluginCheck, ProbeSpec
from stigmer_pm.supervisor.container_probes import ContainerProbe
from stigmer_pm.supervisor.pidfiles import PidFiles
from stigmer_pm.supervisor.prober import Prober
from stigmer_pm.supervisor.surroundings import News


class LocalWorld:
    """Runs of processes and containers. See :class:`stigmer_pm.supervisor.surroundings.World` for each call."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pidfiles: PidFiles,
        *,
        key: str,
        containers_of: Owner,
        base_environment: Mapping[str, str],
        positions: str,
        cgroup: str,
    ) -> None:
        """``key`` marks the processes of this project, and ``containers_of`` its containers.

        ``base_environment`` lies beneath what the file names, and says where the Docker engine is; in ``positions`` is
        kept how far the output of each container has been copied, and in ``cgroup`` where the cgroups of the runs are.
        """
        self._news: News | None = None
        self._pidfiles = pidfiles
        self._reaper = Reaper(loop)
        self._runtime = ProcessRuntime(
            loop, self._reaper, self, key=key, base_environment=base_environment, cgroups=make_cgroups(key, cgroup)
        )
        self._containers = ContainerRuntime(
            loop, self, owner=containers_of, environment=base_environment, positions=positions
        )
        #: Starts the commands of exec probes, and others that are no run.
        self.spawner = CommandSpawner(loop, self._reaper)
        self._prober = Prober(loop, self._probed)
        self._signalled: set[tuple[str, int]] = set()

    def begin(self, news: News) -> None:
        """Collect children, and tell of them."""
        self._news = news
        self._reaper.start()

    def start(self, instance: str, run: int, spec: ComponentSpec) -> Started | None:
        """Start a run of a process, or begin to start one of a container."""
        self._pidfiles.make_room()
        if spec.process is None:
            self._containers.start(instance, run, spec)
            return None
        port_was_taken = is_answered(spec.probes)
        started = self._runtime.start(instance, run, spec.process)
        self._pidfiles.write(instance, started.pid)
        return replace(started, port_was_taken=port_was_taken)

    def cancel_start(self, instance: str, run: int) -> None:
        """A container is not to be started after all."""
        self._containers.cancel_start(instance, run)

    def take_over(self, instance: str, run: Run, spec: ComponentSpec, started: int | None) -> bool:
        """Containers are looked for at their engine."""
        if run.container is None:
            return False  # by the run, and not by the spec: that may have been edited since
        if run.exit is not None:
            self.emptied(instance, run.number)  # nothing of a container outlives it
            return True
        self._containers.take_over(instance, run, spec, started)
        return True

    def adopt(self, instance: str, run: int, pid: int, started: int) -> bool:
        """Watch a run that an earlier supervisor started."""
        is_adopted = self._runtime.adopt(instance, run, pid, started)
        if is_adopted:
            self._pidfiles.write(instance, pid)
        return is_adopted

    def last_status(self, pid: int, started: int) -> int | None:
        """From the table of processes."""
        return self._runtime.last_status(pid, started)

    def find_started(self, instance: str, run: int, spec: ComponentSpec) -> tuple[int, int] | None:
        """Look for the mark of a run, and for what writes its log."""
        log = None if spec.process is None else spec.process.log
        return self._runtime.find_started(instance, run, log, self._pidfiles.read(instance))

    def noted_pid(self, instance: str) -> int | None:
        """From its pid file."""
        return self._pidfiles.read(instance)

    def fingerprint(self, spec: ComponentSpec) -> str:
        """Of a process."""
        return "" if spec.process is None else fingerprint(spec.process)

    def find_marked(self) -> dict[str, tuple[int, int, int, str]]:
        """Look for the marks of all runs of this project."""
        return self._runtime.find_marked()

    def boot_id(self) -> str:
        """Of this machine."""
        return system.boot_id()

    def pid_namespace(self) -> str:
        """That of this process."""
        return table.namespace()

    def count_leftovers(self, instance: str, run: int, leader: tuple[int, int] = (0, 0)) -> int:
        """What lives of a run whose leader is gone."""
        return self._runtime.count_leftovers(instance, run, leader)

    def signal(self, instance: str, run: int, number: int) -> None:
        """Signal a run."""
        if self._containers.owns(instance, run):
            self._containers.end(instance, run, number)
        else:
            self._runtime.signal(instance, run, number)
            self._signalled.add((instance, run))

    def signalled(self) -> set[tuple[str, int]]:
        """Runs of which it is certain that they have had their stop signal. An engine may still be delivering it."""
        return self._signalled | self._containers.signalled()

    def know_signalled(self, runs: Iterable[tuple[str, int]]) -> None:
        """These have had their stop signal from the supervisor before this one."""
        self._signalled.update(runs)

    def signal_leader(self, instance: str, run: int, number: int) -> bool:
        """Signal the first process of a run."""
        if self._containers.owns(instance, run):
            self._containers.signal(instance, run, number)
            return True
        return self._runtime.signal_leader(instance, run, number)

    def kill(self, instance: str, run: int) -> None:
        """SIGKILL everything of a run."""
        if self._containers.owns(instance, run):
            self._containers.end(instance, run, system.KILL)
        else:
            self._runtime.kill(instance, run)

    def attempt(self, instance: Instance, run: int, probe: ProbeSpec, log_from: int) -> None:
        """Ask a probe once."""

        def make() -> HealthProbe:
            if instance.spec.container is not None:
                return ContainerProbe(
                    probe,
                    self._containers.inquiry,
                    instance.state.name,
                    run,
                    instance.spec.container,
                    self.spawner,
                    log_from,
                )
            return DeclaredProbe(probe, self._context(instance, run, probe, log_from))

        self._prober.attempt(instance.state.name, run, probe, make)

    def break_off_probes(self) -> None:
        """End the commands of probes, for whoever waits for them will not be there any more; if it is after all, then
        they have neither failed nor passed."""
        self._prober.discard_failures()
        self.spawner.kill_all()

    def forget(self, instance: str, run: int) -> None:
        """A run is over: its probes and its pid file go."""
        self._prober.cancel(instance, run)
        self._containers.forget(instance, run)
        self._pidfiles.remove(instance)
        self._signalled.discard((instance, run))

    def end_strays(self, *, everything: bool) -> list[int]:
        """End orphans of runs that are over; not while commands of probes run, which are nobody's run."""
        return [] if everything and self._prober.is_busy() else self._runtime.end_strays(everything=everything)

    def look_for_lost(self) -> None:
        """Tell the ends of runs that nothing told."""
        self._runtime.look_for_lost()
        self._containers.look_for_lost()

    def facts(self, instance: str) -> Mapping[str, object]:
        """What its engine says of a container."""
        return self._containers.inquiry.facts(instance)

    def what_stays(self) -> str:
        """The containers of an engine that is away."""
        return self._containers.what_stays()

    def what_was_not_reached(self) -> str:
        """An engine that was never there."""
        return self._containers.what_was_not_reached()

    async def clear_away(self) -> None:
        """Remove the containers and networks of the project."""
        await self._containers.clear_away()

    async def close(self) -> None:
        """Let go of everything, the prober first, and of each whatever becomes of those before it."""
        async with AsyncExitStack() as stack:
            stack.callback(self._reaper.close)
            stack.callback(self._runtime.close)
            stack.push_async_callback(self._containers.close)
            stack.push_async_callback(self._prober.close)

    # --- what the runtime tells ---------------------------------------------------------------------------------

    def exited(self, instance: str, run: int, status: int | None, remaining: bool) -> None:
        """The leader of a run is gone."""
        self._told.exited(instance, run, status, remaining)

    def emptied(self, instance: str, run: int) -> None:
        """The last process that a leader left behind is gone."""
        self._told.emptied(instance, run)

    def started(self, instance: str, run: int, started: Started) -> None:
        """A container has been started, or found again."""
        if started.pid:
            self._pidfiles.write(instance, started.pid)
        self._told.started(instance, run, started)

    def not_started(self, instance: str, run: int, failure: SpawnFailure | None) -> None:
        """A container is not started."""
        self._told.not_started(instance, run, failure)

    def ended(self, instance: str, run: int, end: Exit, cause: StopCause | None = None) -> None:
        """A container has ended."""
        self._told.ended(instance, run, end, cause)

    def noted(self, instance: str, run: int, reason: Reason) -> None:
        """Something about a container."""
        self._told.noted(instance, run, reason)

    def health(self, instance: str, run: int, *, passes: bool, output: str) -> None:
        """What the HEALTHCHECK of a container says."""
        self._told.health(instance, run, passes=passes, output=output)

    def warned(self, instance: str, words: str) -> None:
        """Something about an instance."""
        self._told.warned(instance, words)

    def has(self, instance: str) -> bool:
        """It is an instance of the project."""
        return self._told.has(instance)

    def knows(self, instance: str) -> bool:
        """It runs as a container, and is an instance of the project, or its file has it."""
        return self._told.knows(instance)

    def _probed(self, instance: str, result: ProbeDone) -> None:
        self._told.probed(instance, result)

    @property
    def _told(self) -> News:
        """Who is told."""
        assert self._news is not None, "nothing is watched or asked before it has begun"
        return self._news

    def _context(self, instance: Instance, run: int, probe: ProbeSpec, log_from: int) -> ProbeContext:
        execution = instance.spec.process
        assert execution is not None, "containers have probes of their own"
        environment: Mapping[str, str] = {}
        if isinstance(probe.check, (ExecCheck, PluginCheck)):  # the others need none, and it is a large copy
            environment = self._runtime.environment(execution, instance.state.name, run)
        return ProbeContext(
            environment,
            execution.working_dir,
            self.spawner,
            execution.user,
            execution.group,
            log=execution.log,
            log_from=log_from,
        )
