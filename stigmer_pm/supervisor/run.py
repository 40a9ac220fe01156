"""Running a supervisor in this process: the event loop around a service, and what it says about itself."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from stigmer_pm.core.plan import Scope
from stigmer_pm.runtime import system
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.spec.codec import decode
from stigmer_pm.statedir import StateDir
from stigmer_pm.supervisor import signals
from stigmer_pm.supervisor.beginning_again import Failed, serve_in_spite_of_bugs
from stigmer_pm.supervisor.errors import Refused, refuse_full_disk
from stigmer_pm.supervisor.full_disk import is_full
from stigmer_pm.supervisor.handover import Handover
from stigmer_pm.supervisor.home import Busy, Home
from stigmer_pm.supervisor.log import last_words, log_to
from stigmer_pm.supervisor.order import Order
from stigmer_pm.supervisor.service import Service
from stigmer_pm.supervisor.store import StoreError

_log = logging.getLogger(__name__)

Reply = Callable[[Mapping[str, object]], None]


def read_order(order: Mapping[str, Any]) -> Order:
    """An order as it came from the command line: a file to apply, or a folder whose processes are to be found again."""
    environment = dict(order["environment"])
    if "recover" in order:
        folder = order["recover"]
        prefers_record = bool(order.get("prefers_record", False))
        return Order(str(folder["state_dir"]), str(folder["file"]), environment, prefers_record=prefers_record)
    spec = decode(ProjectSpec, order["spec"])
    scope = Scope(tuple(order.get("names", ())), tuple(order.get("profiles", ())))
    return Order(spec.state_dir, spec.file, environment, spec, scope, bool(order.get("prefers_record", False)))


def supervise(order: Order, reply: Reply, detach: Callable[[Home], None], handover: Handover | None = None) -> int:
    """Be the supervisor of a project until it is told to end.

    ``reply`` gets one document: where the socket is and what applying the file has begun, or an error. ``detach`` is
    called once the state folder is ours and before anything is started. ``handover`` is from the supervisor whose place
    in this process it takes.
    """
    try:
        home = Home(order.state_dir, None if handover is None else handover.lock_fd)
    except Busy:
        reply({"busy": True})
        return 0
    except Refused as refused:
        if handover is not None:
            last_words(StateDir(order.state_dir).supervisor_log, refused.message)
        reply(refused.document())
        return refused.exit_status
    try:
        log_to(home.dir.supervisor_log)
        detach(home)
        system.set_process_name("stigmer-pm sup")
        return _serve_to_the_end(home, order, reply, handover)
    except Refused as refused:
        _log.error("%s", refused.message)
        home.withdraw()
        reply(refused.document())
        return refused.exit_status
    except OSError as error:
        _log.exception("the supervisor ends, and what runs goes on")
        reply((refuse_full_disk(home.dir.path) if is_full(error) else _lacks_something(error)).document())
        return 1
    except Exception:  # noqa: BLE001 (the top of the supervisor: its traceback goes to its log, never to a user)
        _log.exception("bug in the supervisor: it ends, and what runs goes on")
        reply(internal_error(home).document())
        return 1
    finally:
        home.close()


def _lacks_something(error: OSError) -> Refused:
    """What a user is told when the system refused what a supervisor can't do without."""
    where = f" ('{error.filename}')" if error.filename else ""
    return Refused(
        f"cannot go on as a supervisor: {(error.strerror or str(error)).lower()}{where}",
        cure="see to that (ulimit -a, df), then 'stigmer-pm up'; what runs goes on",
        exit_status=1,
        code="system",
    )


def refuse_record(home: Home, error: StoreError) -> Refused:
    """What a user is told of a record that no supervisor can be begun with."""
    if error.is_full:
        return refuse_full_disk(home.dir.path)
    return Refused(str(error), cure=error.cure, exit_status=1, code="store")


def internal_error(home: Home) -> Refused:
    """What a user is told of a bug that has ended the supervisor."""
    return Refused(
        "internal error in the supervisor; what runs goes on",
        cure=f"'stigmer-pm up' takes it over again; the traceback is in {home.dir.supervisor_log}",
        exit_status=1,
        code="internal",
    )


def inherited_listener(handover: Handover | None) -> socket.socket | None:
    """The socket that was handed over, if one was."""
    if handover is None:
        return None
    listener = socket.socket(fileno=handover.listener_fd)
    listener.setblocking(False)
    return listener


def _serve_to_the_end(home: Home, order: Order, reply: Reply, handover: Handover | None) -> int:
    handed_over = [handover]

    def serve(order: Order, is_to_end: bool) -> Coroutine[Any, Any, int]:
        return _serve(home, order, reply, handed_over.pop() if handed_over else None, is_to_end=is_to_end)

    return serve_in_spite_of_bugs(order, serve)


async def _serve(home: Home, order: Order, reply: Reply, handover: Handover | None, *, is_to_end: bool) -> int:
    """Serve until the end, or end in order at once.

    Raises:
        Refused: the order can't be carried out; nothing was started.
        Failed: a bug was met while it served.
    """
    try:
        service = Service(home, order, inherited_listener(handover))
    except StoreError as error:
        raise refuse_record(home, error) from error
    try:
        if handover is not None:
            service.tell_of_handover(handover.version)
        signals.handle(asyncio.get_running_loop(), signals.in_background(service))
        try:
            answer = service.begin(order)
        except StoreError as error:  # another program has just locked it, say
            raise refuse_record(home, error) from error
        if is_to_end:
            service.end()
        path = await service.open_door()
        reply({"socket": path, "apply": answer, **(service.lack.document() if service.lack else {})})
        await service.ended.wait()
        if service.failure is not None:
            signals.hold_back()
            raise Failed(was_ending=service.is_ending) from service.failure
    finally:
        await service.close()
    return 0
