"""Leaders that are no child of this process: known by their descriptor and their start, and seen when they end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace

from stigmer_pm.runtime import system, table
from stigmer_pm.runtime.leftovers import LOOK_AGAIN, Watch, drop

#: How often the exit status of an adopted run is asked for, a few hundredths of a second apart. Exit status 0 can only
#: be told once the parent has collected the process, and init does that at once.
_ASK_STATUS = 8

#: Seconds between two beats of the loop, and after how many without one an end may have been long ago: this process was
#: suspended. The kernel gives a pid to somebody else once all others have been used, which takes longer than that.
_BEAT, _MISSED = 2.0, 3.0
#: Seconds within which all is told that has happened until then: timers that are late come before what they waited for.
_TOLD_WITHIN = 1.0


class AdoptedLeaders:
    """Waits for their ends; ``gone`` is called with the wait status, or ``None`` where nobody can tell it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, gone: Callable[[Watch, int | None], None]) -> None:
        self._loop = loop
        self._gone = gone
        self._beat_at: float | None = None
        self._held_up_at = float("-inf")

    @property
    def was_held_up(self) -> bool:
        """Nobody has looked for a while: what is told now may be long ago, and pids be those of others by now."""
        self._notice()
        return self._loop.time() - self._held_up_at < _TOLD_WITHIN

    def _notice(self) -> None:
        now = self._loop.time()
        if self._beat_at is not None and now - self._beat_at > _MISSED:
            self._held_up_at = now

    def _beat(self) -> None:
        self._notice()
        self._beat_at = self._loop.time()
        self._loop.call_later(_BEAT, self._beat)

    def wait(self, watch: Watch) -> bool:
        """Wait for the end of the leader of ``watch``; ``False`` when it is gone, and its pid perhaps a stranger's."""
        pid = watch.marks.leader
        try:
            pidfd = system.open_pidfd(pid)
        except ProcessLookupError:
            return False
        is_ours = False
        try:
            # Opened first and compared then: whatever has this pid now is what the descriptor stands for.
            is_ours = table.started(pid) == watch.marks.leader_started
        finally:
            if pidfd is not None and not is_ours:
                os.close(pidfd)
        if not is_ours:
            return False
        watch.marks = replace(watch.marks, was_watched=True)
        if self._beat_at is None:
            self._beat()
        if pidfd is not None:
            watch.pidfds[pid] = pidfd
            try:
                self._loop.add_reader(pidfd, self._ended, watch, pid)
            except OSError:
                drop(self._loop, watch)
        if not watch.pidfds:
            self._poll(watch)
        return True

    def _ended(self, watch: Watch, pid: int, tries: int = _ASK_STATUS) -> None:
        """Its status is told as soon as its real parent has collected it; before that, by the table of processes."""
        if pid not in watch.pidfds:
            return  # somebody else has noticed, in the same turn of the loop
        status = system.exit_status_of(watch.pidfds[pid])
        try:
            if status is None:
                status = table.zombie_status(pid, watch.marks.leader_started)
            if status is None and tries > 1 and is_there(watch):
                self._ask_later(watch, pid, tries - 1)
                return
        except OSError:  # no descriptor is free to look with
            self._ask_later(watch, pid, tries)
            return
        drop(self._loop, watch)
        self._gone(watch, status)

    def _ask_later(self, watch: Watch, pid: int, tries: int) -> None:
        """The descriptor stays readable, so that nobody may wait for it meanwhile: the loop would never rest."""
        self._loop.remove_reader(watch.pidfds[pid])
        watch.timer = self._loop.call_later(LOOK_AGAIN / 4, self._ended, watch, pid, tries)

    def _poll(self, watch: Watch) -> None:
        try:
            lives = table.started(watch.marks.leader) == watch.marks.leader_started
        except OSError:
            lives = True  # no descriptor is free to look with
        if lives:
            watch.timer = self._loop.call_later(LOOK_AGAIN, self._poll, watch)
        else:
            self._gone(watch, None)


def is_still_ours(watch: Watch) -> bool:
    """The leader's pid is not somebody else's by now. That of a child can't be before we have collected it; one that
    was adopted is collected by init, perhaps while this process was suspended and has heard of nothing."""
    if watch.is_child:
        return True
    pidfd = watch.pidfds.get(watch.marks.leader)
    if pidfd is not None:
        return system.is_uncollected(pidfd)
    return table.started(watch.marks.leader) == watch.marks.leader_started


def is_there(watch: Watch) -> bool:
    """The leader lives, or has not been collected yet."""
    row = table.read_row(watch.marks.leader)
    return row is not None and (watch.is_child or row.started == watch.marks.leader_started)
