"""A gRPC server with the health service, as its own library has it, and answers that a test gives it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import grpc
from grpc import aio

_STATUSES = {"UNKNOWN": 0, "SERVING": 1, "NOT_SERVING": 2, "SERVICE_UNKNOWN": 3}


@contextlib.asynccontextmanager
async def grpc_health_server(statuses: Mapping[str, str], *, hangs: bool = False) -> AsyncIterator[int]:
    """Serve the health of some services on a free port; ``hangs``: never answer."""

    async def check(request: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        if hangs:
            await asyncio.sleep(3600)
        # Field 1 is the name: a tag, a length of one byte, and the text.
        service = request[2 : 2 + request[1]].decode() if request else ""
        if service not in statuses:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        status = _STATUSES[statuses[service]]
        return bytes((0x08, status)) if status else b""

    server = aio.server()
    handler = grpc.method_handlers_generic_handler(
        "grpc.health.v1.Health", {"Check": grpc.unary_unary_rpc_method_handler(check)}
    )
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)
