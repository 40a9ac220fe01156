"""One engine for all workers of a test run: started by the first that needs it, gone when no worker is left.

Each worker holds a shared lock on a file as long as it uses the engine. A process of its own, the keeper, runs the
engine and waits for the exclusive lock on that file: it gets it when no worker is left, whatever they died of.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from ..project import eventually
from .engine import Dockerd, EngineError

#: Seconds that an engine may take to come, or to go.
_DEADLINE = 60.0


class SharedEngine:
    """A worker's part in the engine of the run; ``base`` is a folder that the workers of this run share."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._address = base / "docker.json"
        self._users = (base / "docker.users").open("w")

    def acquire(self) -> str:
        """The address of the engine; it is started unless another worker has done it.

        Raises:
            EngineError: it does not start.
        """
        # Waits until a keeper that is about to end has ended.
        fcntl.flock(self._users, fcntl.LOCK_SH)
        with (self._base / "docker.mutex").open("w") as mutex:
            fcntl.flock(mutex, fcntl.LOCK_EX)
            if not self._address.exists():
                self._start_keeper()
        found = json.loads(self._address.read_text())
        if "error" in found:
            raise EngineError(found["error"])
        return str(found["host"])

    def release(self) -> None:
        """Use it no more; the last worker waits until it is gone."""
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Others use it; or the keeper was quicker than we, and is waited for.
            fcntl.flock(self._users, fcntl.LOCK_SH)
            self._users.close()
        else:
            self._users.close()
            eventually(self._is_over, "the engine has ended", _DEADLINE)

    def _is_over(self) -> bool:
        # One that did not start has nothing to end; its address says why, to the other workers as well.
        try:
            return "error" in json.loads(self._address.read_text())
        except FileNotFoundError:
            return True

    def _start_keeper(self) -> None:
        log_path = self._base / "docker.log"
        with log_path.open("ab") as log:
            keeper = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self._base)],
                cwd=Path(__file__).parent.parent.parent,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        with suppress(AssertionError):
            eventually(lambda: self._address.exists() or keeper.poll() is not None, "", _DEADLINE)
        if not self._address.exists():
            keeper.kill()
            keeper.wait()
            raise EngineError(f"the keeper of the engine ended: {log_path.read_text()[-500:]}")
        keeper.returncode = 0  # it outlives the worker that started it, so nobody waits for it as a child


def keep(base: Path) -> None:
    """Run an engine until nobody uses it."""
    address = base / "docker.json"
    engine = Dockerd()
    try:
        engine.start()
        _publish(address, {"host": engine.host})
        with (base / "docker.users").open("w") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            engine.close()
            address.unlink()
    except EngineError as error:
        _publish(address, {"error": str(error)})
    finally:
        engine.close()


def _publish(address: Path, content: dict[str, str]) -> None:
    draft = address.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.rename(address)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
