"""The routes: one table of what may be asked, each with its handler, and the top of every request."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from stigmer_pm.supervisor import questions, requests
from stigmer_pm.supervisor.answer import JSONResponse
from stigmer_pm.supervisor.errors import Refused, internal, unreadable
from stigmer_pm.supervisor.service import Service
from stigmer_pm.supervisor.store import StoreError

_log = logging.getLogger(__name__)

Handler = Callable[[Service, Request], Awaitable[Response]]


def make_app(service: Service) -> Starlette:
    """The application that answers on the socket."""
    return Starlette(
        routes=[Route(path, _endpoint(service, handler), methods=[method]) for method, path, handler in ROUTES]
    )


async def openapi(service: Service, request: Request) -> Response:
    """What may be asked, for programs."""
    from stigmer_pm.supervisor.openapi import document

    return JSONResponse(document((method, path) for method, path, _ in ROUTES))


ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/v1/ps", questions.ps),
    ("POST", "/v1/apply", requests.apply),
    ("POST", "/v1/start", requests.acting("start")),
    ("POST", "/v1/stop", requests.acting("stop")),
    ("POST", "/v1/restart", requests.acting("restart")),
    ("POST", "/v1/reset", requests.acting("reset")),
    ("POST", "/v1/wait", questions.wait_for),
    ("GET", "/v1/components/{name}", questions.describe),
    ("GET", "/v1/events", questions.events),
    ("POST", "/v1/signal", requests.send_signal),
    ("POST", "/v1/let-go", requests.let_go),
    ("POST", "/v1/upgrade", requests.upgrade),
    ("POST", "/v1/down", requests.down),
    ("GET", "/v1/openapi.json", openapi),
)


def _endpoint(service: Service, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handler(service, request)
        except Refused as refused:
            return JSONResponse(refused.document(), status_code=refused.status)
        except StoreError as error:
            return JSONResponse(unreadable(error).document(), status_code=503)
        except ClientDisconnect:
            return Response(status_code=400)  # it hung up in the middle of its request, so nobody reads this
        except Exception:  # noqa: BLE001 (the top of each request: the caller gets one line, the log the traceback)
            _log.exception("bug while answering %s %s", request.method, request.url.path)
            return JSONResponse(internal(service.home.dir.supervisor_log).document(), status_code=500)

    return endpoint
