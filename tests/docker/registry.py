"""A registry with one image, as small as the pull of an engine allows: the Docker Registry API, version 2.

Engines take any address in 127.0.0.0/8 for a registry without TLS.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .rootfs import busybox_tree

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

#: A layer that is slow comes in pieces of so many bytes, this many seconds apart: half a minute for a busybox.
_PIECE_BYTES = 2048
_PAUSE_S = 0.05

_REPOSITORY = "test/image"


class Registry:
    """``image`` is busybox, whose command is ``forever``, with a file ``/version``. It can be slow, and it can fail."""

    def __init__(self) -> None:
        #: Every request is answered with status 500.
        self.is_broken = False
        #: The paths that were asked for.
        self.requests: list[str] = []
        #: How many layers were no longer wanted while they were sent.
        self.cut_layers = 0
        # Set: layers are sent as fast as they go.
        self._is_fast = threading.Event()
        self._is_fast.set()
        self._documents: dict[str, tuple[str, bytes]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self.image = f"127.0.0.1:{self._server.server_port}/{_REPOSITORY}:1"
        self.publish("first")
        self._thread = threading.Thread(target=partial(self._server.serve_forever, poll_interval=0.05))
        self._thread.start()

    @property
    def pulls(self) -> int:
        """How often the image's layer was fetched."""
        return sum("/blobs/" in path and path in self._layer_paths() for path in self.requests)

    def publish(self, version: str) -> None:
        """Put an image with ``version`` in its file ``/version`` under the tag."""
        tree = busybox_tree()
        tree.file("version", version.encode())
        # Unlike any other, for an engine fetches no layer that it has.
        tree.file("unique", os.urandom(16))
        tar = tree.tar()
        layer = gzip.compress(tar, compresslevel=1)
        config = json.dumps({
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["forever"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
        }).encode()  # fmt: skip
        manifest = json.dumps({
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": _LAYER, "size": len(layer), "digest": _digest(layer)}],
        }).encode()  # fmt: skip
        self._documents[f"/v2/{_REPOSITORY}/manifests/1"] = (_MANIFEST, manifest)
        self._documents[f"/v2/{_REPOSITORY}/manifests/{_digest(manifest)}"] = (_MANIFEST, manifest)
        self._documents[f"/v2/{_REPOSITORY}/blobs/{_digest(config)}"] = (_CONFIG, config)
        self._documents[f"/v2/{_REPOSITORY}/blobs/{_digest(layer)}"] = (_LAYER, layer)

    def slow_down(self) -> None:
        """Send layers slowly from now on, until :meth:`hurry`."""
        self._is_fast.clear()

    def hurry(self) -> None:
        """Send at once what is left of all layers."""
        self._is_fast.set()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, type and content."""
        self.requests.append(path)
        if self.is_broken:
            return HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", b"out of order"
        if path == "/v2/":
            return HTTPStatus.OK, "application/json", b"{}"
        if path in self._documents:
            return HTTPStatus.OK, *self._documents[path]
        error = {"code": "MANIFEST_UNKNOWN", "message": "manifest unknown", "detail": {"path": path}}
        return HTTPStatus.NOT_FOUND, "application/json", json.dumps({"errors": [error]}).encode()

    def pieces(self, kind: str, content: bytes) -> Iterator[bytes]:
        """The content, piece by piece at the pace that was asked for."""
        sent = 0
        while kind == _LAYER and sent < len(content) and not self._is_fast.wait(_PAUSE_S):
            yield content[sent : sent + _PIECE_BYTES]
            sent += _PIECE_BYTES
        yield content[sent:]

    def close(self) -> None:
        """End it, and what it is sending."""
        self.hurry()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _layer_paths(self) -> set[str]:
        return {path for path, (kind, _) in self._documents.items() if kind == _LAYER}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, registry: Registry, *rest: Any) -> None:
        self._registry = registry
        super().__init__(*rest)

    def do_GET(self) -> None:
        """Answer with what the registry has."""
        status, kind, content = self._registry.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        if kind == _MANIFEST:
            self.send_header("Docker-Content-Digest", _digest(content))
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            for piece in self._registry.pieces(kind, content):
                self.wfile.write(piece)
        except OSError:
            self._registry.cut_layers += 1
            self.close_connection = True

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the first request of an engine is a TLS handshake, which is no error here."""


@contextmanager
def running_registry() -> Iterator[Registry]:
    """A registry that is there for a while."""
    registry = Registry()
    try:
        yield registry
    finally:
        registry.close()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
