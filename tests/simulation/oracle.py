"""What must hold whatever happens, said without the core: from what the world has seen, and what users have said.

* Never two live runs of one instance: :meth:`Oracle.starts`, and ``Standing`` after every moment.
* Never a start while stopped by hand, or while nobody wants it: :meth:`Oracle.starts`, by what users have said.
* Nothing but commands changes what is wanted: ``Standing``. Each is carried out wholly or not at all, also when the
  supervisor dies over it: ``Books.compare``.
* No start before the conditions of its dependencies hold: :meth:`Oracle.decides`, ``Dependencies``. And a start as soon
  as all of them do: ``Standing.check_progress``.
* Policies, and backoff delays exactly as specified, no sooner and no later: ``Ledger.end_run``, ``check_wait``,
  ``decide``, with an accounting of its own (``lives.judge``).
* At most ``max_restarts`` restarts of failed runs in a row in any window: ``Ledger``, ``in_row``.
* The rate of automatic restarts is bounded in the long run: at most ``max(1, max_restarts)`` at once in any window, and
  all others wait at least the shortest backoff: ``Ledger``, ``at_once``.
* Counts survive the supervisor: ``Ledger`` compares them at each restart.
* Nothing runs after ``stop`` or ``down`` has completed: ``Standing.check_phase``; ``Simulation`` at the end of it.
* Never stuck: whatever does not rest has a timer, or something is under way in the world: ``Standing.check_progress``,
  ``check_run`` and ``check_probes``; ``calm`` at the end of every history.
* Probes are asked when they may be, counted as the kubelet counts, and end a run at the threshold and not before:
  :meth:`Oracle.asks`, ``Kubelet``, ``Standing.check_probes``.
* No run is ended without a reason: :meth:`Oracle.signals`. SIGKILL comes after ``stop_timeout`` or the probe's time,
  neither before nor later: ``Books.decide``, :meth:`Oracle.kills`, ``Standing.check_run``.
* An applied spec is eventually what runs, and a wait for it never hangs: ``calm``.
* A start that takes its time is taken back when a stop overtakes it, and leaves nothing, or else what has begun too
  late is stopped: ``Standing.check_progress``, ``Books.learn``.
* A start that a shortage has stopped is tried again, whatever the policy, after waits of its own; nothing else is
  counted: ``Ledger``, ``After.RETRIED``.
* A run that has ended with its engine, or never began, counts as nothing and is followed by another at once, if one is
  wanted: ``Ledger``, ``After.UNCOUNTED``. So no outage ends in ``failed``.
* What is said of a container (paused, an engine that is away) is so; nobody waits for an engine that is away:
  ``Standing.check_note``. Where no readiness probe is declared, its HEALTHCHECK decides: ``Kubelet.is_ready``.

What a death of the supervisor leaves open (had the command been written down, had the exit?) is read from the records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.plan import Scope
from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Phase
from stigmer_pm.spec import ComponentSpec, ProbeKind, ProbeSpec

from . import wishes
from .books import Books
from .ledger import Ledger
from .lives import Life
from .processes import Process
from .standing import Standing
from .violation import Violation
from .virtual_world import VirtualWorld
from .wishes import Command, Wish


class Oracle:
    """Watches the world and the engine, and objects."""

    def __init__(self, world: VirtualWorld) -> None:
        self._world = world
        self._books = Books(world)
        self._standing = Standing(world, self._books)
        self._moved: set[str] = set()
        world.watcher = self

    def wish(self, name: str) -> Wish:
        """What users want of an instance."""
        return self._books.wish(name)

    # --- what users say -----------------------------------------------------------------------------------------

    def commands(self, command: Command, carry_out: Callable[[], object]) -> None:
        """Somebody commands something. When the supervisor dies over it, the records will tell whether it holds."""
        books = self._books
        books.under_way = command
        books.hear(command)
        carry_out()
        books.under_way = None
        books.wishes.update(command.wishes)
        self._moved.update(command.wishes)

    def acts(self, verb: str, names: Sequence[str]) -> Command:
        """``start``, ``stop``, ``restart`` or ``reset``."""
        return wishes.act(verb, names, self._books.project, self._books.wishes)

    def stops_all(self) -> Command:
        """``down``, or a kill."""
        project = self._books.project
        return wishes.stop([i.state.name for i in project], project, self._books.wishes)

    def kills_all(self) -> Command:
        """The second Ctrl-C."""
        for ledger in self._books.ledgers.values():
            ledger.is_killed = True
        return self.stops_all()

    def applies(self, file: Sequence[ComponentSpec], scope: Scope) -> Command:
        """``up``."""
        project = self._books.project
        self._books.forget(lambda name: project.find(name) is None)
        return wishes.apply(file, scope, project, self._books.wishes)

    def clears_all(self) -> Command:
        """``down`` is about to forget what was applied."""
        return Command(dict.fromkeys(self._books.wishes, Wish(runs=False, is_gone=True)), {})

    def forgets_all(self) -> None:
        """``down`` has completed."""
        self._books.forget(lambda name: True)

    # --- what becomes of the supervisor -------------------------------------------------------------------------

    def dies(self, record_of: Callable[[str], Instance | None]) -> None:
        """The supervisor is gone. What it had written down counts, and what it knew beside that doesn't."""
        self._books.fall_back(record_of)

    def wakes(self) -> None:
        """It was suspended, and goes on now."""
        self._books.awake_at = self._world.clock.at
        for instance in self._books.project:
            life = self._books.life(instance.state.name)
            if life is not None and life.kubelet.failed is not None and instance.state.phase is not Phase.STOPPING:
                life.kubelet.failed_at = self._world.clock.at  # what has failed meanwhile, it hears of now

    def revives(self, project: Project) -> None:
        """Another supervisor has loaded the records."""
        self._books.compare(project)

    def is_told(self, signalled: Set[tuple[str, int]]) -> None:
        """It knows of these runs that they have had their stop signal."""
        self._books.signalled = frozenset(signalled)

    def recovers(self) -> None:
        """It has found what lives, and not applied the file yet: what has ended is judged by the spec of before."""
        for instance in self._books.project:
            self._books.go_on(instance)

    def loses_records(self) -> None:
        """Everything that was written down is gone."""
        self._books.lose()

    def reboots(self) -> None:
        """The machine is started again: nothing lives, counts begin anew, and what is wanted stays."""
        self._books.is_new_boot = True
        # Also those of which the record was lost before, and whose run is found by nobody now.
        for name in {*self._books.wishes, *self._books.ledgers}:
            self._books.ledgers[name] = Ledger(self._books.tolerance, is_unsure=True)

    def decides(self, names: Iterable[str]) -> None:
        """It has decided something about these, and written it down: a start only when its dependencies allow it."""
        books = self._books
        for instance in books.project:
            life = books.life(instance.state.name)
            if life is not None:
                life.edit(instance)
        for name in names:
            found = books.project.find(name)
            if found is not None and books.decide(books.ledger(name), found):
                self._standing.dependencies.check_start(found)

    # --- what the supervisor does to the world ------------------------------------------------------------------

    def starts(self, process: Process) -> None:
        """A run is being started: is that allowed now?"""
        name = process.instance
        instance = self._books.project.find(name)
        if instance is None:
            raise Violation(f"{name} is started and is not part of the project")
        living = self._world.living(name)
        if living:
            raise Violation(f"{name} is started while {living[0]} of it lives")
        if self._world.engine.starts(name) is not None:
            raise Violation(f"{name} is started while the start of {self._world.engine.starts(name)} is under way")
        if not self._books.wish(name).runs:
            raise Violation(f"{name} is started, and is to be stopped")
        run = instance.state.run
        if run is None or run.number != process.run:
            raise Violation(f"{process} is started, and is not on record")
        self._books.ledger(name).begin(Life(process, dict(run.dependency_runs)))
        self._moved.add(name)

    def signals(self, process: Process) -> None:
        """A stop signal: is there a reason?"""
        if not process.lives:
            return  # it has ended since that was decided
        instance, life = self._books.project.find(process.instance), self._books.life(process.instance)
        if instance is None or life is None or life.process is not process:
            raise Violation(f"a stop signal goes to {process}, which is not the run of {process.instance}")
        if process.leader and (process.instance, process.run) in self._books.signalled:
            raise Violation(f"a stop signal goes to {process}, which has had it")
        if process.stop_began_at is None and process.leader:
            if instance.state.run is not None:
                life.kubelet.take_over(instance.state.run)
            if not self._books.may_end(instance, life):
                raise Violation(f"{process} is stopped, and there is no reason to")

    def kills(self, process: Process) -> None:
        """SIGKILL: is it time?"""
        ledger = self._books.ledgers.get(process.instance)
        life = None if ledger is None or ledger.is_killed else ledger.life
        if life is None or life.process is not process or life.kill_at is None or process.kill_began_at is not None:
            return  # a second one, because the first may not have arrived, needs no reason of its own
        if self._world.clock.at < life.kill_at - self._books.tolerance:
            raise Violation(f"{process} is killed at {self._world.clock.at}, before {life.kill_at}")

    def asks(self, process: Process, probe: ProbeSpec) -> None:
        """An attempt of a probe begins: may it?"""
        life = self._books.life(process.instance)
        if life is None or life.process is not process:
            raise Violation(f"a probe of {process} is asked, which is not the run of {process.instance}")
        known_at = max(process.known_from, self._books.awake_at) if life.known_at is None else life.known_at
        if self._world.clock.at < known_at + probe.initial_delay - self._books.tolerance:
            raise Violation(f"the {probe.kind} probe of {process} is asked before its initial delay")
        is_ended = process.stop_began_at is not None and probe.kind is not ProbeKind.READINESS
        if is_ended or not life.kubelet.may_be_asked(probe.kind):
            raise Violation(f"the {probe.kind} probe of {process} is asked, and its gate is closed: {life.kubelet}")
        life.kubelet.ask(probe.kind)

    def answers(self, process: Process, kind: ProbeKind, outcome: Outcome) -> None:
        """A probe has answered."""
        life = self._books.life(process.instance)
        if life is not None and life.process is process and not process.exit_is_told:
            life.kubelet.count(kind, outcome, self._world.clock.at)
        self._moved.add(process.instance)

    def tells_health(self, process: Process) -> None:
        """The supervisor is told what the HEALTHCHECK of a container says."""
        life = self._books.life(process.instance)
        if life is not None and life.process is process:
            life.kubelet.hear_health(process.health)
        self._moved.add(process.instance)

    def changes(self, process: Process) -> None:
        """Something of it has begun or ended."""
        self._moved.add(process.instance)

    # --- after every moment -------------------------------------------------------------------------------------

    def check(self, next_call: float | None, moved: Iterable[str] | None = None) -> None:
        """Everything that holds when the engine has nothing to do: for those that have moved, or else for all.

        ``next_call`` is when the engine will be called again.

        Raises:
            Violation: something doesn't hold.
        """
        books = self._books
        self._moved.update(moved if moved is not None else (i.state.name for i in books.project))
        for name in self._moved:
            instance = books.project.find(name)
            if instance is None:
                if any(process.kill_began_at is None for process in self._world.living(name)):
                    raise Violation(f"{name} is no part of the project, and lives")
                continue
            ledger = books.ledger(name)
            books.learn(ledger, instance)
            if instance.state.phase is Phase.BACKOFF:
                ledger.check_wait(instance.state)
            self._standing.check(instance, books.wishes[name], next_call)
        self._moved.clear()
