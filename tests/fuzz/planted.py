"""The process that reads hostile files, with a bad deed planted in it for each word that a file holds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from stigmer_pm.cli import app

from . import subject


def _run_badly(arguments: Sequence[str]) -> int:
    words = Path("stigmer.yaml").read_text(encoding="utf-8")
    if "HANG" in words:
        time.sleep(3600)
    if "SLOW" in words and "validate" in arguments:
        time.sleep(0.3)
    if "LARGE" in words and "validate" in arguments:
        del [b"x" * (100 << 20)][0]
    if "DIE" in words:
        os._exit(3)
    if "FORK" in words and os.fork() == 0:
        os._exit(0)
    if "SPAWN" in words:
        subprocess.run(["true"], check=True)
    if "WRITE" in words:
        Path("there").write_text("x", encoding="utf-8")
    if "FOLDER" in words:
        Path(".stigmer").mkdir(exist_ok=True)
    if "OBEY" in words:
        sys.stderr.write("error: \x1b[31m\n")
        return 2
    if "TRACE" in words:
        raise RuntimeError("planted")
    return app.run(arguments)


if __name__ == "__main__":
    subject.main(_run_badly)
