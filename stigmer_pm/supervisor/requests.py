"""Routes that act: on the file that is applied, on instances, and on the supervisor itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from stigmer_pm.core.plan import Scope
from stigmer_pm.core.verdict import ANY_RUN, Goal, Patience
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.spec.codec import decode
from stigmer_pm.spec.signals import signal_name, signal_number
from stigmer_pm.spec.soundness import check_sound
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.answer import JSONResponse
from stigmer_pm.supervisor.arguments import flag_of, named, number_of, strings_of
from stigmer_pm.supervisor.bodies import LARGE, SMALL
from stigmer_pm.supervisor.clock import stamp
from stigmer_pm.supervisor.documents import Document
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.handover import Successor
from stigmer_pm.supervisor.selection import select
from stigmer_pm.supervisor.streams import Messages, stream
from stigmer_pm.supervisor.waiting import Wish, wait
from stigmer_pm.version import __version__

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from stigmer_pm.supervisor.service import Service


#: The longest path that the kernel takes (PATH_MAX).
_LONGEST_PATH = 4096


async def _body(service: Service, request: Request, most: int = SMALL, *, stops: bool = False) -> Mapping[str, Any]:
    """The body of a request that acts on what runs; one that ``stops`` it joins the stop of everything.

    Whether it may is asked before, so that nobody sends 16 MiB in vain, and after: a body takes its time to arrive, and
    everything may have begun to be stopped meanwhile.
    """

    def refuse() -> None:
        if not (stops and service.is_ending):
            service.refuse_when_ending()

    refuse()
    body = await service.bodies.read(request, most)
    refuse()
    return body


async def apply(service: Service, request: Request) -> Response:
    """Apply a resolved file, or say what that would do."""
    body = await _body(service, request, LARGE)
    try:
        spec = decode(ProjectSpec, body.get("spec"))
        check_sound(spec)
    except ValueError as error:
        raise Refused(f"cannot read the spec: {error}") from error
    scope = Scope(strings_of(body, "names"), strings_of(body, "profiles"))
    return JSONResponse(service.apply(spec, scope, dry_run=flag_of(body, "dry_run")))


def acting(verb: str) -> Callable[[Service, Request], Awaitable[Response]]:
    """The handler of start, stop, restart or reset."""

    async def act(service: Service, request: Request) -> Response:
        names = select(service.engine.project, named(await _body(service, request, stops=verb == "stop")))
        return JSONResponse(commands.act(service.engine, names, verb))

    return act


async def send_signal(service: Service, request: Request) -> Response:
    """Send a signal to the leaders of runs."""
    body = await service.bodies.read(request)
    try:
        number = signal_number(str(body.get("signal", "")))
    except ValueError as error:
        raise Refused(f"cannot send the signal: {error}") from error
    results: list[Document] = []
    for name in select(service.engine.project, named(body, "signal")):
        pid = service.engine.send_signal(name, number)
        # The pid of a container is 0 where it is not to be seen from here.
        to = "its container" if pid == 0 else f"pid {pid}"
        said = "has no process to signal" if pid is None else f"{signal_name(number)} sent to {to}"
        results.append({"name": name, "pid": pid or None, "said": said})
    return JSONResponse({"results": results})


async def let_go(service: Service, request: Request) -> Response:
    """End the supervisor, and leave what runs to whoever asks."""
    service.refuse_when_ending()
    if service.is_kept:
        raise Refused(
            f"a service manager already keeps a supervisor of this project (pid {os.getpid()})",
            cure="one is enough; end that service first, or leave this one out",
            code="service",
            exit_status=2,
            status=409,
        )
    asyncio.get_running_loop().call_soon(service.let_go)
    return JSONResponse({"pid": os.getpid()})


async def upgrade(service: Service, request: Request) -> Response:
    """Have another program take this supervisor's place; the answer comes before it does."""
    body = await service.bodies.read(request)
    python, path = body.get("python"), strings_of(body, "path")
    if not isinstance(python, str) or not os.path.isabs(python) or len(python) > _LONGEST_PATH:
        raise Refused("python must be the path of an interpreter")
    successor = Successor(python, path)
    version = await service.succession.prepare(successor)
    service.succession.begin(successor)
    return JSONResponse({"from": __version__, "to": version, "pid": os.getpid(), "since": stamp(service.started_at)})


async def down(service: Service, request: Request) -> Response:
    """Stop everything in order and end the supervisor."""
    body = await _body(service, request, stops=True)
    targets = {i.state.name: ANY_RUN for i in service.engine.project}
    wish = Wish(targets, Goal.STOPPED, Patience(), number_of(body, "timeout", None))
    service.end()
    return stream(service, _with_what_stays(service, wait(service.engine, wish)))


async def _with_what_stays(service: Service, messages: Messages) -> Messages:
    async for name, document in messages:
        if name == "done":
            world = service.engine.world
            document |= {
                "stays": world.what_stays(),
                "not_reached": world.what_was_not_reached(),
                "unwritten": service.engine.recorder.last_trouble,
            }
        yield name, document
