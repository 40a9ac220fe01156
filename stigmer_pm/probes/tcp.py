"""The tcp handler: a port that accepts a connection is a success."""

from __future__ import annotations

import asyncio

from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes.connect import connect
from stigmer_pm.probes.reason import reason, seconds
from stigmer_pm.probes.result import CheckResult
from stigmer_pm.probes.shortage import is_own_shortage
from stigmer_pm.spec import TcpCheck


async def check_tcp(check: TcpCheck, timeout: float) -> CheckResult:
    """Connect to the port within ``timeout`` seconds and close at once; nothing is sent or read.

    Kubernetes: every error of the connect is a failure, also a name that cannot be resolved.

    Raises:
        OSError: the supervisor is short of descriptors, processes or memory, so that nothing was asked.
    """
    words = f"connect to {_shown(check.host)}:{check.port}"
    try:
        async with asyncio.timeout(timeout) as limit:
            (await connect(check.host, check.port)).close()
    except OSError as error:
        if is_own_shortage(error):
            raise
        # The kernel's own ETIMEDOUT is a TimeoutError as well.
        if isinstance(error, TimeoutError) and limit.expired():
            return CheckResult(Outcome.FAILURE, f"{words}: no answer within {seconds(timeout)}")
        return CheckResult(Outcome.FAILURE, f"{words}: {reason(error)}")
    return CheckResult(Outcome.SUCCESS, f"{words} succeeded")


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
