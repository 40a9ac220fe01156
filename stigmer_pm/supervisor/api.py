"""The routes: one table of what may be asked, and a handler for each that parses, calls and answers."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sized
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from stigmer_pm.core.plan import Scope
from stigmer_pm.core.verdict import ANY_RUN, Goal, Patience
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.spec.codec import decode
from stigmer_pm.spec.signals import signal_name, signal_number
from stigmer_pm.spec.soundness import check_sound
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.answer import JSONResponse
from stigmer_pm.supervisor.bodies import LARGE
from stigmer_pm.supervisor.clock import stamp
from stigmer_pm.supervisor.documents import Document, describe_document, event_document
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.handover import Successor
from stigmer_pm.supervisor.selection import Selection, select
from stigmer_pm.supervisor.service import Service
from stigmer_pm.supervisor.store import StoreError
from stigmer_pm.supervisor.waiting import Wish, wait
from stigmer_pm.version import __version__

_log = logging.getLogger(__name__)

#: Names, labels or targets of one request; ten times the components of a large project.
_MOST_NAMES = 10_000

Handler = Callable[[Service, Request], Awaitable[Response]]
Messages = AsyncGenerator[tuple[str, Document], None]


def make_app(service: Service) -> Starlette:
    """The application that answers on the socket."""
    return Starlette(
        routes=[Route(path, _endpoint(service, handler), methods=[method]) for method, path, handler in ROUTES]
    )


# --- handlers ---------------------------------------------------------------------------------------------------


async def ps(service: Service, request: Request) -> Response:
    """The document of ``ps --json``."""
    query = request.query_params
    labels = dict(_label(text) for text in query.getlist("label"))
    names = select(service.engine.project, Selection(tuple(query.getlist("name")), labels))
    return JSONResponse(service.ps_document(names))


async def apply(service: Service, request: Request) -> Response:
    """Apply a resolved file, or say what that would do."""
    service.refuse_when_ending()
    body = await service.bodies.read(request, LARGE)
    try:
        spec = decode(ProjectSpec, body.get("spec"))
        check_sound(spec)
    except ValueError as error:
        raise Refused(f"cannot read the spec: {error}") from error
    service.refuse_other_file(spec)
    scope = Scope(_strings(body, "names"), _strings(body, "profiles"))
    return JSONResponse(
        commands.apply(service.engine, service.store, spec, scope, dry_run=bool(body.get("dry_run", False)))
    )


def acting(verb: str) -> Handler:
    """The handler of start, stop, restart or reset."""

    async def act(service: Service, request: Request) -> Response:
        if verb != "stop":  # a stop joins the one of everything
            service.refuse_when_ending()
        names = select(service.engine.project, _named(await service.bodies.read(request)))
        return JSONResponse(commands.act(service.engine, names, verb))

    return act


async def wait_for(service: Service, request: Request) -> Response:
    """Stream how instances stand until all are where they should be, or can't get there."""
    body = await service.bodies.read(request)
    try:
        goal = Goal(body.get("for", "ready"))
    except ValueError:
        raise Refused(f"cannot wait for '{body.get('for')}'; valid: {', '.join(Goal)}") from None
    targets = body.get("targets")
    if targets is None:
        names = select(service.engine.project, _selection(body.get("select") or {}))
        is_stop = goal is Goal.STOPPED
        targets = {name: ANY_RUN if is_stop else commands.target_run(service.engine, name) for name in names}
    if not isinstance(targets, dict) or not all(isinstance(run, int) for run in targets.values()):
        raise Refused("targets must map names to run numbers")
    _refuse_many("targets", targets)
    settle = _number(body, "settle", 1.0)
    patience = Patience(1.0 if settle is None else settle, _number(body, "patience", None))
    wish = Wish({str(n): int(r) for n, r in targets.items()}, goal, patience, _number(body, "timeout", None))
    return _stream(service, wait(service.engine, wish))


async def describe(service: Service, request: Request) -> Response:
    """Everything about one instance."""
    (name, *others) = select(service.engine.project, Selection((request.path_params["name"],)))
    if others:
        raise Refused(f"'{request.path_params['name']}' matches more than one component; describe takes one name")
    instance = service.engine.project[name]
    show_secrets = request.query_params.get("show_secrets") in ("1", "true")
    (entry,) = service.entries([name])
    runs, events = service.store.runs(name), service.store.events(instances=(name,), limit=20)
    details = describe_document(
        service.engine.project,
        instance,
        runs,
        events,
        service.engine.world.facts(instance.state.name),
        show_secrets=show_secrets,
    )
    return JSONResponse(entry | details)


async def events(service: Service, request: Request) -> Response:
    """The journal, once or as a stream."""
    query = request.query_params
    since = _wall(query.get("since"))
    limit = _limit(query.get("limit"))
    names: tuple[str, ...] = ()
    if query.getlist("name"):
        names = tuple(select(service.engine.project, Selection(tuple(query.getlist("name")))))
    if query.get("follow") in ("1", "true"):
        return _stream(service, _follow_events(service, since, names, limit))
    rows = service.store.events(since=since, instances=names, limit=limit)
    return JSONResponse({"events": [event_document(row) for row in rows]})


async def send_signal(service: Service, request: Request) -> Response:
    """Send a signal to the leaders of runs."""
    body = await service.bodies.read(request)
    try:
        number = signal_number(str(body.get("signal", "")))
    except ValueError as error:
        raise Refused(f"cannot send the signal: {error}") from error
    results: list[Document] = []
    for name in select(service.engine.project, _named(body, "signal")):
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
    python, path = body.get("python"), _strings(body, "path")
    if not isinstance(python, str) or not os.path.isabs(python):
        raise Refused("python must be the path of an interpreter")
    successor = Successor(python, path)
    version = await service.succession.prepare(successor)
    service.succession.begin(successor)
    return JSONResponse({"from": __version__, "to": version, "pid": os.getpid(), "since": stamp(service.started_at)})


async def down(service: Service, request: Request) -> Response:
    """Stop everything in order and end the supervisor."""
    body = await service.bodies.read(request)
    targets = {i.state.name: ANY_RUN for i in service.engine.project}
    wish = Wish(targets, Goal.STOPPED, Patience(), _number(body, "timeout", None))
    service.end()
    return _stream(service, _with_what_stays(service, wait(service.engine, wish)))


async def _with_what_stays(service: Service, messages: Messages) -> Messages:
    async for name, document in messages:
        yield name, document if name != "done" else document | {"stays": service.engine.world.what_stays()}


async def openapi(service: Service, request: Request) -> Response:
    """What may be asked, for programs."""
    from stigmer_pm.supervisor.openapi import document

    return JSONResponse(document((method, path) for method, path, _ in ROUTES))


ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/v1/ps", ps),
    ("POST", "/v1/apply", apply),
    ("POST", "/v1/start", acting("start")),
    ("POST", "/v1/stop", acting("stop")),
    ("POST", "/v1/restart", acting("restart")),
    ("POST", "/v1/reset", acting("reset")),
    ("POST", "/v1/wait", wait_for),
    ("GET", "/v1/components/{name}", describe),
    ("GET", "/v1/events", events),
    ("POST", "/v1/signal", send_signal),
    ("POST", "/v1/let-go", let_go),
    ("POST", "/v1/upgrade", upgrade),
    ("POST", "/v1/down", down),
    ("GET", "/v1/openapi.json", openapi),
)


# --- what the handlers share ------------------------------------------------------------------------------------


def _endpoint(service: Service, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handler(service, request)
        except Refused as refused:
            return JSONResponse(refused.document(), status_code=refused.status)
        except StoreError as error:
            unreadable = Refused(str(error), code="store", exit_status=1, status=503)
            return JSONResponse(unreadable.document(), status_code=503)
        except ClientDisconnect:
            return Response(status_code=400)  # it hung up in the middle of its request, so nobody reads this
        except Exception:  # noqa: BLE001 (the top of each request: the caller gets one line, the log the traceback)
            _log.exception("bug while answering %s %s", request.method, request.url.path)
            bug = Refused(
                "internal error in the supervisor",
                cure=f"its traceback is in {service.home.dir.supervisor_log}",
                code="internal",
                exit_status=1,
                status=500,
            )
            return JSONResponse(bug.document(), status_code=500)

    return endpoint


def _named(body: Mapping[str, Any], *others: str) -> Selection:
    """What an acting request is about. A slip in it must not widen it to everything."""
    unknown = sorted(body.keys() - {"names", "labels", "all", *others})
    if unknown:
        raise Refused(f"unknown key '{unknown[0]}'; there is: names, labels, all")
    selection = _selection(body)
    if not (selection.names or selection.labels or selection.all):
        raise Refused("nothing is named; give names, labels, or all: true")
    return selection


def _selection(body: object) -> Selection:
    if not isinstance(body, dict):
        raise Refused("a selection must be an object")
    labels = body.get("labels") or {}
    if not isinstance(labels, dict):
        raise Refused("labels must be an object of strings")
    _refuse_many("labels", labels)
    return Selection(_strings(body, "names"), {str(k): str(v) for k, v in labels.items()}, bool(body.get("all")))


def _strings(body: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = body.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise Refused(f"{key} must be a list of strings")
    _refuse_many(key, found)
    return tuple(found)


def _refuse_many(key: str, found: Sized) -> None:
    if len(found) > _MOST_NAMES:
        raise Refused(f"too many {key}: {len(found)}; at most {_MOST_NAMES}", code="too-many", status=413)


def _number(body: Mapping[str, Any], key: str, default: float | None) -> float | None:
    found = body.get(key, default)
    if found is None or (isinstance(found, (int, float)) and not isinstance(found, bool) and found >= 0):
        return found
    raise Refused(f"{key} must be a number of seconds, or null")


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Refused(f"a label is selected as KEY=VALUE, found '{text}'")
    return key, value


def _wall(text: str | None) -> float:
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise Refused(f"'{text}' is no time; expected one such as 2026-01-22T10:00:00Z") from None


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal():
        raise Refused(f"limit must be a whole number, found '{text}'")
    return min(int(text[:9]), 1_000_000)


async def _follow_events(service: Service, since: float, names: tuple[str, ...], limit: int | None) -> Messages:
    subscription = service.engine.feed.subscribe()
    try:
        last = 0
        for row in service.store.events(since=since, instances=names, limit=limit):
            last = row.id
            yield "event", event_document(row)
        while True:
            _, rows = await subscription.take()
            for row in rows:
                if row.id > last and (not names or row.instance in names):
                    yield "event", event_document(row)
    finally:
        service.engine.feed.unsubscribe(subscription)


def _stream(service: Service, messages: Messages) -> StreamingResponse:
    async def lines() -> AsyncIterator[bytes]:
        try:
            async for name, document in _until_moving(service, messages):
                yield f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 (the top of each stream)
            _log.exception("bug while streaming")

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _until_moving(service: Service, messages: Messages) -> Messages:
    """The messages; when another supervisor takes this one's place, ``moved`` says to ask that one again."""
    moving = asyncio.ensure_future(service.succession.is_moving.wait())
    try:
        while True:
            following = asyncio.ensure_future(anext(messages))
            try:
                await asyncio.wait({following, moving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not following.done():
                    following.cancel()
                    await asyncio.wait({following})
            if following.cancelled():
                yield "moved", {}
                return
            try:
                yield following.result()
            except StopAsyncIteration:
                return
    finally:
        moving.cancel()
        await messages.aclose()
