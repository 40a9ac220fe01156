"""The nearest known word for one that isn't known."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

# What other programs call it, and this one calls otherwise: Compose, PM2, supervisord, systemd, process-compose.
_ELSEWHERE = {
    "args": "command",
    "autorestart": "restart",
    "availability": "restart",
    "cmd": "command",
    "cwd": "working_dir",
    "dir": "working_dir",
    "directory": "working_dir",
    "env": "environment",
    "exec_start": "command",
    "exp_backoff_restart_delay": "backoff",
    "healthcheck": "probes",
    "instances": "replicas",
    "kill_timeout": "stop_timeout",
    "log_file": "log",
    "numprocs": "replicas",
    "out_file": "log",
    "processes": "components",
    "pull_policy": "pull",
    "restart_delay": "backoff",
    "restart_policy": "restart",
    "script": "command",
    "services": "components",
    "stop_grace_period": "stop_timeout",
    "stopsignal": "stop_signal",
    "stopwaitsecs": "stop_timeout",
    "workdir": "working_dir",
    "apps": "components",
}


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word that ``word`` is likely to mean."""
    lowered = word.lower()
    elsewhere = _ELSEWHERE.get(lowered.replace("-", "_"))
    if elsewhere in known:
        return elsewhere
    # difflib takes time by the length of the word, and nobody mistypes a name into 60 characters.
    spelled = {name.lower(): name for name in known}
    found = get_close_matches(lowered, spelled, n=1, cutoff=0.6) if len(word) <= 60 else []
    return spelled[found[0]] if found else None


def did_you_mean(word: str, known: Collection[str]) -> str:
    """``; did you mean 'restart'?``, or nothing."""
    found = nearest(word, known)
    return f"; did you mean '{found}'?" if found else ""
