"""Everybody who is connected to the socket: how many may be, how long each may take, and who has to go for another.

A client of ours asks at once and reads at once. Others cost a descriptor and some kilobytes each, and no more:
a request has to be complete after some seconds, an answer has to be read, and where all places are taken, whoever asks
nothing gives his up to the next.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import select
from typing import Any

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from stigmer_pm.sockets import peer_of

_log = logging.getLogger(__name__)

#: Connections at once; at most half of the descriptors, for the other half is for what runs. (systemd's varlink: 4096,
#: 1024 for one user.)
_MOST = 512
#: Rounds of so many seconds within which a request must be complete, and an answer be read once it is. Rounds are
#: counted, and not the time that has passed: a supervisor that was suspended has kept others waiting, and not they it.
#: (nginx waits 60 s for a head or a body that comes from far away; these come from the same machine.)
_ROUND, _PATIENCE = 5.0, 4


class Visitors:
    """All connections. Whoever looks after them sleeps as long as there are none."""

    def __init__(self, config: Config, state: ServerState) -> None:
        # What a client does wrong is no news of the supervisor, and could fill its log.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self._config = config
        self._state = state
        self._open: dict[_Visitor, None] = {}
        self._round: asyncio.TimerHandle | None = None

    def protocol(self) -> asyncio.Protocol:
        """Another connection."""
        return _Visitor(self, self._config, self._state)

    def admit(self, visitor: _Visitor) -> None:
        """Let another one in. Where all places are taken, somebody has to make room: one who asks nothing, one who
        doesn't read, or whoever has been here for longest, which is a stream."""
        if len(self._open) >= most_visitors():
            goes = next((v for v in self._open if v.owes_request), None)
            goes = goes or next((v for v in self._open if v.owes_reading), None) or next(iter(self._open))
            self.leave(goes)
            goes.transport.abort()
        self._open[visitor] = None
        if self._round is None:
            self._round = visitor.loop.call_later(_ROUND, self._look_round, visitor.loop)

    def leave(self, visitor: _Visitor) -> None:
        """A connection is over."""
        self._open.pop(visitor, None)

    def close(self) -> None:
        """Look after nobody any more."""
        if self._round is not None:
            self._round.cancel()
            self._round = None

    def send_away(self, *, owing_only: bool = False) -> None:
        """Hang up on everybody, or on those who have asked nothing yet."""
        for visitor in list(self._open):
            if visitor.owes_request or not owing_only:
                visitor.transport.abort()

    def _look_round(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hang up on those who take too long with a request, or with the last of an answer, and on those who have left.

        A stream that goes on may wait for its reader, a day if need be (a terminal that is stopped, a laptop that is
        closed): it has to go when its place is needed, and not before (:meth:`admit`).
        """
        self._round = loop.call_later(_ROUND, self._look_round, loop) if self._open else None
        for visitor in list(self._open):
            owes = visitor.owes_request or (visitor.owes_reading and visitor.transport.is_closing())
            visitor.rounds = visitor.rounds + 1 if owes else 0
            if visitor.rounds >= _PATIENCE or visitor.has_left():
                visitor.transport.abort()


def most_visitors() -> int:
    """How many connections there may be at once."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if soft == resource.RLIM_INFINITY else max(1, min(_MOST, soft // 2))


class _Visitor(H11Protocol):
    """One connection: uvicorn's protocol, open to this user and root alone, whatever the socket's mode has become."""

    def __init__(self, visitors: Visitors, config: Config, state: ServerState) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self._visitors = visitors
        #: Rounds for which it has owed something.
        self.rounds = 0

    @property
    def owes_request(self) -> bool:
        """Nothing has been asked that is not answered yet, or not all of it has come."""
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's type forgets that there is none at first
        return cycle is None or cycle.response_complete or cycle.more_body

    @property
    def owes_reading(self) -> bool:
        """What has been answered lies here, and isn't fetched."""
        return self.transport.get_write_buffer_size() > 0

    def has_left(self) -> bool:
        """It has hung up. That is seen by reading, which rests while there is more to read than can be handled: what
        was asked behind a stream, say, that goes on for ever."""
        if self.transport.is_reading() or self.transport.is_closing():
            return False
        look = select.poll()
        look.register(self.transport.get_extra_info("socket"), 0)  # that nobody is there is told unasked
        return bool(look.poll(0))

    def connection_made(self, transport: Any) -> None:
        """Let it in, or not."""
        _, uid = peer_of(transport.get_extra_info("socket"))
        if uid not in (None, 0, os.geteuid()):
            _log.warning("turned away a connection of user %s", uid)
            transport.abort()
        else:
            self._visitors.admit(self)
            super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, whoever has ended it."""
        self._visitors.leave(self)
        if self.transport is not None:  # it was let in
            super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What it has sent is no HTTP. One that has been answered, or half of it, can only be hung up on."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True  # whoever answers it says nothing more: all that can be said has been
            cycle.message_event.set()

    def on_response_complete(self) -> None:
        """It may ask again, and has its time anew."""
        self.rounds = 0
        super().on_response_complete()
