"""Routes that only answer: how everything stands, what has happened, and when something will have got somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stigmer_pm.core.verdict import ANY_RUN, Goal, Patience
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.answer import JSONResponse
from stigmer_pm.supervisor.arguments import label_of, limit_of, number_of, refuse_many, selection_of, wall_of
from stigmer_pm.supervisor.documents import describe_document, event_document
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.selection import Selection, select
from stigmer_pm.supervisor.streams import Messages, stream
from stigmer_pm.supervisor.waiting import Wish, wait

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from stigmer_pm.supervisor.service import Service


async def ps(service: Service, request: Request) -> Response:
    """The document of ``ps --json``."""
    query = request.query_params
    labels = dict(label_of(text) for text in query.getlist("label"))
    names = select(service.engine.project, Selection(tuple(query.getlist("name")), labels))
    return JSONResponse(service.overview.document(names))


async def describe(service: Service, request: Request) -> Response:
    """Everything about one instance."""
    (name, *others) = select(service.engine.project, Selection((request.path_params["name"],)))
    if others:
        raise Refused(f"'{request.path_params['name']}' matches more than one component; describe takes one name")
    instance = service.engine.project[name]
    show_secrets = request.query_params.get("show_secrets") in ("1", "true")
    (entry,) = service.overview.entries([name])
    runs, events = service.store.runs(name), service.store.events(instances=(name,), limit=20)
    details = describe_document(
        service.engine.project,
        instance,
        runs,
        events,
        service.engine.world.facts(instance.state.name),
        show_secrets=show_secrets,
    )
    return JSONResponse(entry | details | {"trouble": service.engine.recorder.trouble})


async def events(service: Service, request: Request) -> Response:
    """The journal, once or as a stream."""
    query = request.query_params
    since = wall_of(query.get("since"))
    limit = limit_of(query.get("limit"))
    names: tuple[str, ...] = ()
    if query.getlist("name"):
        names = tuple(select(service.engine.project, Selection(tuple(query.getlist("name")))))
    if query.get("follow") in ("1", "true"):
        messages = _follow_events(service, since, names, limit)
        await anext(messages)  # what can't be read is said before the answer has begun
        return stream(service, messages)
    rows = service.store.events(since=since, instances=names, limit=limit)
    # What can't be written is not among them yet, and who reads them must know.
    return JSONResponse({"trouble": service.engine.recorder.trouble, "events": [event_document(row) for row in rows]})


async def _follow_events(service: Service, since: float, names: tuple[str, ...], limit: int | None) -> Messages:
    """The journal and what is added to it, after a first message that only says that the journal could be read.

    Raises:
        StoreError: it can't be.
    """
    subscription = service.engine.feed.subscribe(is_client=True)
    try:
        rows = service.store.events(since=since, instances=names, limit=limit)
        yield "read", {}
        last = 0
        for row in rows:
            last = row.id
            yield "event", event_document(row)
        while True:
            _, rows = await subscription.take()
            for row in rows:
                if row.id > last and (not names or row.instance in names):
                    yield "event", event_document(row)
    finally:
        service.engine.feed.unsubscribe(subscription)


async def wait_for(service: Service, request: Request) -> Response:
    """Stream how instances stand until all are where they should be, or can't get there."""
    body = await service.bodies.read(request)
    try:
        goal = Goal(body.get("for", "ready"))
    except ValueError:
        raise Refused(f"cannot wait for '{body.get('for')!s:.60}'; valid: {', '.join(Goal)}") from None
    targets = body.get("targets")
    if targets is None:
        names = select(service.engine.project, selection_of({} if body.get("select") is None else body["select"]))
        is_stop = goal is Goal.STOPPED
        targets = {name: ANY_RUN if is_stop else commands.target_run(service.engine, name) for name in names}
    if not isinstance(targets, dict) or not all(isinstance(run, int) for run in targets.values()):
        raise Refused("targets must map names to run numbers")
    refuse_many("targets", targets)
    settle = number_of(body, "settle", 1.0)
    patience = Patience(1.0 if settle is None else settle, number_of(body, "patience", None))
    wish = Wish({str(n): int(r) for n, r in targets.items()}, goal, patience, number_of(body, "timeout", None))
    return stream(service, wait(service.engine, wish))
