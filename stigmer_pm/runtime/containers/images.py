"""Images: whether one is there, and pulling it with its progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from stigmer_pm.core.reasons import Reason, Why
from stigmer_pm.runtime.containers.trouble import EngineRefusal

if TYPE_CHECKING:
    from docker import APIClient


def is_here(client: APIClient, image: str) -> bool:
    """The engine has the image."""
    import docker.errors

    try:
        client.inspect_image(image)  # type: ignore[no-untyped-call]
    except docker.errors.NotFound:  # in whatever words: not every engine says it as Docker does
        return False
    return True


def pull(
    client: APIClient,
    image: str,
    platform: str | None,
    tell: Callable[[Reason], None],
    is_cancelled: Callable[[], bool],
) -> None:
    """Pull an image; ``tell`` gets the progress, as often as the engine says something.

    Raises:
        EngineRefusal: it can't be had. (Of what the SDK raises, see :mod:`.trouble`.)
    """
    progress = Progress(image)
    stream = client.pull(_with_tag(image), stream=True, decode=True, platform=platform)
    try:
        for message in stream:
            if is_cancelled():
                return
            if "error" in message:
                raise EngineRefusal(500, " ".join(str(message["error"]).split()))
            tell(progress.take(message))
    finally:
        with suppress(Exception):
            stream.close()


class Progress:
    """How far a pull has come, from the messages of the engine: one a layer and step."""

    def __init__(self, image: str) -> None:
        self._image = image
        self._layers: dict[str, tuple[int, int]] = {}

    def take(self, message: Mapping[str, Any]) -> Reason:
        """The progress after this message, in words ``pulling redis:7: 45% of 12.3 MB``."""
        detail, layer = message.get("progressDetail") or {}, str(message.get("id", ""))
        total = int(detail.get("total") or 0)
        if message.get("status") == "Downloading" and total > 0:
            self._layers[layer] = (int(detail.get("current") or 0), total)
        elif message.get("status") in ("Download complete", "Pull complete") and layer in self._layers:
            whole = self._layers[layer][1]
            self._layers[layer] = (whole, whole)
        have, whole = (sum(part) for part in zip(*self._layers.values(), strict=True)) if self._layers else (0, 0)
        words = f"pulling {self._image}"
        if not whole:
            return Reason(Why.PREPARING, detail=words)
        percent = 100 * have // whole
        return Reason(Why.PREPARING, f"{percent}% of {_size_words(whole)}", words, percent)


def _size_words(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def _with_tag(image: str) -> str:
    """``latest`` where no tag stands: without one, the API pulls every tag there is."""
    last = image.rpartition("/")[2]
    return image if ":" in last or "@" in last else f"{image}:latest"
