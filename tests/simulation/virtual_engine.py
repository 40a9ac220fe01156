"""A virtual Docker engine: containers that begin late, may be paused, have a HEALTHCHECK, and an engine that goes away.

What a supervisor is told is what :class:`stigmer_pm.supervisor.surroundings.News` says, as late as a real engine's
answers and events come; what it asks of an engine that is away is done when that is back.
"""

from __future__ import annotations

from collections.abc import Callable

from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.core.state import StopCause
from stigmer_pm.runtime.spawn import SpawnFailure

from .clockwork import Call
from .engine_voice import EngineVoice
from .ground import Ground
from .processes import Process

_SIGTERM, _SIGKILL = 15, 9

#: Seconds until a supervisor hears of an end, finds a container again, and has an answer when it takes a start back.
_TOLD_IN, _FOUND_IN, _RECALLED_IN = (0.0, 0.0, 0.2), (0.0, 0.05, 0.8), (0.0, 0.1)
#: Seconds of a start after which it says what it is waiting for.
_WORTH_A_NOTE = 1.0
#: Seconds until the first HEALTHCHECK of a container, at least.
_HEALTHCHECK = 0.05

_AWAY, _PULLS = Reason(Why.ENGINE, detail="the engine does not answer"), Reason(Why.PREPARING, detail="pulling")
_NO_IMAGE = SpawnFailure("pull its image", "image", 0, "no image is to be had")


class VirtualEngine:
    """The containers of one machine.

    ``orphans``: containers of which the record is lost; each goes when its component is started again, or with all.
    """

    def __init__(self, ground: Ground, end_leader: Callable[[Process, int], None]) -> None:
        self.orphans: list[Process] = []
        self._ground = ground
        self._voice = EngineVoice(ground)
        self._end_leader = end_leader
        self._return: Call | None = None

    # --- what the simulation does -------------------------------------------------------------------------------

    def show_pids(self, *, are_shown: bool) -> None:
        """Whether the processes of containers are to be seen from where the supervisor is."""
        self._voice.sees_pids = are_shown

    def go_away(self, seconds: float, *, ends_containers: bool) -> None:
        """It stops for so long; its containers with it, or they live on (live restore)."""
        if self.is_away:
            return
        self._voice.is_away = True
        self._return = self._ground.loop.call_later(seconds, self.come_back)
        for process in self._watched():
            self._voice.note(process, _AWAY)
            if process.is_recalled:
                self._take_back(process)
        for process in [p for p in self._ground.all_living() if p.is_container and ends_containers]:
            self._end_leader(process, _SIGKILL)

    def come_back(self) -> None:
        """It answers again, and everything is told and done that was not before."""
        if not self.is_away:
            return
        self._voice.is_away = False
        if self._return is not None:
            self._return.cancel()
        for process in self._watched():
            self._voice.note(process, NO_REASON)
            if process.is_starting:
                self._begin_later(process)
            elif not process.leader:
                self._voice.tell_end(process, StopCause.ENGINE)
            elif not self._voice.is_sought(process):
                self._look(process)
        for key in list(self._voice.sought):
            self._find_later(key)

    def pause(self, process: Process) -> None:
        """Somebody pauses a container, or lets it go on."""
        if self.is_away or not (process.is_container and process.leader):
            return
        process.is_paused = not process.is_paused
        if process.is_paused and process.own_end is not None:
            process.own_end.cancel()
        elif process.program.lives is not None:
            process.own_end = self._ground.loop.call_later(process.program.lives, self._ends_itself, process)
        self._voice.tell_whether_paused(process)

    def check_health(self, process: Process) -> None:
        """Run the HEALTHCHECK of a container; a change is told."""
        program, lived = process.program, self._ground.clock.at - process.began_at
        if not process.leader or process.health is None or process.is_paused:
            return
        health = not program.sick and program.healthy_after is not None and lived >= program.healthy_after
        if health is not process.health:
            process.health = health
            self._voice.tell_health(process)

    def lose_supervisor(self) -> None:
        """Nobody waits for an answer any more. The start of a container that has begun at the engine goes on."""
        self._voice.sought.clear()
        for process in [p for p in self._ground.processes.values() if p.is_container]:
            process.is_watched = process.is_recalled = False
            process.wanted_signal, process.note = None, NO_REASON
            if process.is_starting and (self.is_away or self._ground.chance.random() < 0.5):
                process.is_starting = False

    def lose_records(self) -> None:
        """Nobody knows of what runs any more."""
        for key, process in [(k, p) for k, p in self._ground.processes.items() if p.is_container]:
            process.is_starting = False
            del self._ground.processes[key]
            if process.leader:
                self._ground.drop(process)
                self.orphans.append(process)

    def reboot(self) -> None:
        """The machine is started again, and the engine with it."""
        self._voice.is_away = False
        self.orphans.clear()

    def remove_all(self) -> None:
        """Nothing of the project is left, also of what nobody knew of."""
        if not self.is_away:
            self.orphans.clear()

    # --- looking ------------------------------------------------------------------------------------------------

    @property
    def is_away(self) -> bool:
        """Nothing is started, signalled or told."""
        return self._voice.is_away

    def owes_news(self, instance: str, run: int) -> bool:
        """A supervisor is still to be told how the run of a container stands, and will be."""
        if self.seeks(instance, run):
            return True
        process = self._ground.processes.get((instance, run))
        if process is None or not process.is_container or not process.is_watched:
            return False
        return process.is_starting or (process.is_started and not process.leader and not process.exit_is_told)

    def seeks(self, instance: str, run: int) -> bool:
        """A run of an earlier supervisor is being looked for."""
        return (instance, run) in self._voice.sought

    def starts(self, instance: str) -> Process | None:
        """The run of an instance whose start is under way."""
        return next((p for p in self._ground.processes.values() if p.instance == instance and p.is_starting), None)

    # --- what the world asks ------------------------------------------------------------------------------------

    def start(self, process: Process) -> None:
        """Begin to start a container."""
        process.is_starting = True
        if self.is_away:
            self._voice.note(process, _AWAY)
            return
        if process.program.begins_in > _WORTH_A_NOTE:
            self._voice.note(process, _PULLS)
        self._begin_later(process)

    def recall(self, process: Process) -> None:
        """A start is not wanted any more. An engine that is away can't be past recall."""
        if not process.is_starting or process.is_recalled:
            return
        process.is_recalled = True
        if self.is_away:
            self._take_back(process)
        elif not process.program.is_past_recall:
            self._ground.call_for_supervisor(self._ground.chance.choice(_RECALLED_IN), self._take_back, process)

    def seek(self, instance: str, run: int, *, is_known: bool) -> None:
        """Look for the container of a run; ``is_known``: it is on record that it has begun."""
        found = self._ground.processes.get((instance, run))
        process = found if found is not None and found.is_container else None
        self._voice.sought[instance, run] = (process, is_known)
        if process is not None:
            process.is_watched, process.exit_is_told = True, False
            process.told_status = process.told_cause = None
            if self.is_away:
                self._voice.note(process, _AWAY)
        elif self.is_away and self._ground.news is not None:
            self._ground.news.noted(instance, run, _AWAY)
        if not self.is_away:
            self._find_later((instance, run))

    def signal(self, process: Process, number: int) -> None:
        """Send a signal to the first process of a container; 0 is what its image says."""
        process.wanted_signal = number or _SIGTERM
        if process.leader and not self.is_away and not self._voice.is_sought(process):
            self._deliver(process)

    def tell_end(self, process: Process) -> None:
        """A container has ended: whoever watches hears of it."""
        if self.is_away:
            self._voice.tell_end(process, StopCause.ENGINE)
        else:
            self._ground.call_for_supervisor(self._ground.chance.choice(_TOLD_IN), self._voice.tell_end, process, None)

    def forget(self, instance: str, run: int) -> None:
        """A run is over."""
        self._voice.sought.pop((instance, run), None)

    # --- inside: beginning --------------------------------------------------------------------------------------

    def _begin_later(self, process: Process) -> None:
        self._ground.loop.call_later(process.program.begins_in, self._begin, process)

    def _begin(self, process: Process) -> None:
        if not process.is_starting or self.is_away:
            return
        process.is_starting = False
        # What earlier runs of the instance have left is removed, for it has the same name.
        self.orphans = [orphan for orphan in self.orphans if orphan.instance != process.instance]
        if process.program.cannot_start:
            if not self._voice.is_sought(process):  # else whoever has asked for it is gone
                self._come_to_nothing(process, _NO_IMAGE)
            return
        process.is_started = process.leader = True
        process.began_at = self._ground.clock.at
        process.health = False if process.program.has_healthcheck else None
        self._ground.comes_to_life(process, self._ends_itself)
        if process.program.healthy_after is not None:
            self._ground.loop.call_later(max(_HEALTHCHECK, process.program.healthy_after), self.check_health, process)
        if process.is_watched and not self._voice.is_sought(process):
            self._voice.tell_started(process)
            self._deliver(process)
        self._ground.has_changed(process)

    def _take_back(self, process: Process) -> None:
        if process.is_starting:
            process.is_starting, process.never_began = False, True
            self._come_to_nothing(process, None)

    def _come_to_nothing(self, process: Process, failure: SpawnFailure | None) -> None:
        process.ended_at = process.told_at = self._ground.clock.at
        if process.is_watched:
            self._voice.tell_nothing_began(process.instance, process.run, failure)
        process.is_watched = False
        self._ground.has_changed(process)

    # --- inside: finding again ----------------------------------------------------------------------------------

    def _find_later(self, key: tuple[str, int]) -> None:
        self._ground.call_for_supervisor(self._ground.chance.choice(_FOUND_IN), self._find, key)

    def _find(self, key: tuple[str, int]) -> None:
        if self.is_away or key not in self._voice.sought:
            return
        process, is_known = self._voice.sought.pop(key)
        if process is None or not process.is_started:
            # It never began; what may still come of its start is removed.
            if process is not None:
                process.is_starting = process.is_watched = False
                process.never_began = True
            self._voice.tell_nothing_began(*key, None)
            return
        self._voice.note(process, NO_REASON)
        if not is_known:
            self._voice.tell_started(process)
        if process.leader:
            self._look(process)
        else:
            self._voice.tell_end(process, None)

    # --- inside: all else ---------------------------------------------------------------------------------------

    def _look(self, process: Process) -> None:
        """As after every event: tell how it stands, and send what it is to be sent."""
        self._voice.tell_whether_paused(process)
        self._voice.tell_health(process)
        self._deliver(process)

    def _deliver(self, process: Process) -> None:
        number, process.wanted_signal = process.wanted_signal, None
        if number is None:
            return
        if process.is_paused:
            self.pause(process)
        takes = process.program.stops_in
        if number == _SIGKILL:
            # As of processes: what the kernel holds is what a supervisor has to kill.
            takes = process.program.dies_in if process.kill_began_at is not None else 0.0
        if takes is not None:
            self._ground.loop.call_later(takes, self._end_leader, process, number)

    def _ends_itself(self, process: Process) -> None:
        self._end_leader(process, process.program.exit_status)

    def _watched(self) -> list[Process]:
        """What a supervisor is still told of."""
        found = self._ground.processes.values()
        return [p for p in found if p.is_container and p.is_watched and not p.exit_is_told]
