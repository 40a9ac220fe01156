"""Running a supervisor in this process: the event loop around a service, and what it says about itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from stigmer_pm.core.plan import Scope
from stigmer_pm.runtime import system
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.spec.codec import decode
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.home import Busy, Home
from stigmer_pm.supervisor.log import log_to
from stigmer_pm.supervisor.service import Order, Service
from stigmer_pm.supervisor.store import StoreError

_log = logging.getLogger(__name__)

Reply = Callable[[Mapping[str, object]], None]


def read_order(order: Mapping[str, Any]) -> Order:
    """An order as it came from the command line: a file to apply, or a folder whose processes are to be found again."""
    environment = dict(order["environment"])
    if "recover" in order:
        folder = order["recover"]
        return Order(str(folder["state_dir"]), str(folder["file"]), environment)
    spec = decode(ProjectSpec, order["spec"])
    scope = Scope(tuple(order.get("names", ())), tuple(order.get("profiles", ())))
    return Order(spec.state_dir, spec.file, environment, spec, scope)


def supervise(order: Order, reply: Reply, detach: Callable[[Home], None]) -> int:
    """Be the supervisor of a project until it is told to end.

    ``reply`` gets one document: where the socket is and what applying the file has begun, or an error. ``detach`` is
    called once the state folder is ours and before anything is started.
    """
    try:
        home = Home(order.state_dir)
    except Busy:
        reply({"busy": True})
        return 0
    except Refused as refused:
        reply(refused.document())
        return refused.exit_status
    try:
        log_to(home.dir.supervisor_log)
        detach(home)
        system.set_process_name("stigmer-pm sup")
        return asyncio.run(_serve(home, order, reply))
    except Refused as refused:
        home.withdraw()
        reply(refused.document())
        return refused.exit_status
    except Exception:  # noqa: BLE001 (the top of the supervisor: its traceback goes to its log, never to a user)
        _log.exception("bug in the supervisor: it ends, and what runs goes on")
        reply(
            {
                "error": {
                    "message": "internal error in the supervisor",
                    "exit": 1,
                    "code": "internal",
                    "cure": f"its traceback is in {home.dir.supervisor_log}",
                }
            }
        )
        return 1
    finally:
        home.close()


async def _serve(home: Home, order: Order, reply: Reply) -> int:
    """Serve until the end.

    Raises:
        Refused: the order can't be carried out; nothing was started.
    """
    try:
        service = Service(home, order)
    except StoreError as error:
        raise Refused(str(error), exit_status=1, code="store") from error
    try:
        service.handle_signals()
        answer = service.begin(order)
        reply({"socket": await service.open_door(), "apply": answer})
        await service.ended.wait()
    finally:
        await service.close()
    return 0
