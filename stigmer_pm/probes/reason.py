"""Why an attempt came to nothing, in words."""

from __future__ import annotations

import errno
import os
import socket


def reason(error: OSError) -> str:
    """``error`` in lower-case words, without numbers and addresses ("connection refused")."""
    if isinstance(error, socket.gaierror):
        return f"cannot resolve the host: {_lower_first(error.strerror or 'unknown error')}"
    # ssl.SSLError, told by its attribute so that a plain HTTP or TCP probe needs no ssl. Its errno is OpenSSL's.
    tls = getattr(error, "reason", None)
    if isinstance(tls, str) and tls:
        return f"TLS: {tls.lower().replace('_', ' ')}"
    if error.errno is not None:
        return _lower_first(os.strerror(error.errno))
    # asyncio raises it without an errno when the peer goes away during a TLS handshake.
    if isinstance(error, ConnectionResetError):
        return _lower_first(os.strerror(errno.ECONNRESET))
    return _lower_first(str(error) or type(error).__name__)


def seconds(duration: float) -> str:
    """A duration as people write it: "1s", "0.25s"."""
    return f"{duration:g}s"


def _lower_first(words: str) -> str:
    return words[:1].lower() + words[1:]
