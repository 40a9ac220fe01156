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
    "instances": "replicas",
    "kill_timeout": "stop_timeout",
    "log_file": "log",
    "name": "project",
    "numprocs": "replicas",
    "out_file": "log",
    "processes": "components",
    "pull_policy": "pull",
    "scale": "replicas",
    "restart_delay": "backoff",
    "restart_policy": "restart",
    "script": "command",
    "stop_grace_period": "stop_timeout",
    "stopsignal": "stop_signal",
    "stopwaitsecs": "stop_timeout",
    "workdir": "working_dir",
    "apps": "components",
}

# Keys of Compose and Kubernetes for what is written otherwise here: a key that stands beside them, and what to do
# instead.
_INSTEAD = {
    "build": ("image", "build it before, with 'docker build -t NAME .', and write 'image: NAME'"),
    "cpus": ("limits", "write 'limits: {cpu: ...}'"),
    "deploy": ("limits", "write 'limits: {memory: ..., cpu: ...}' for its limits, and 'replicas' for its replicas"),
    "expose": ("ports", "remove it, for containers on one network reach each other's ports without it"),
    "extends": ("image", "use 'defaults', or an 'x-' mapping that is merged with '<<'"),
    "healthcheck": ("probes", "write its test as a probe: 'probes: {readiness: {exec: COMMAND}}'"),
    "links": ("networks", "remove it, for containers on one network reach each other by their names"),
    "livenessProbe": ("probes", "put it under 'probes:', with its readinessProbe and startupProbe"),
    "logging": ("log", "write 'log: PATH', the file that its output goes to"),
    "mem_limit": ("limits", "write 'limits: {memory: ...}'"),
    "network_mode": ("networks", "write 'networks: [host]' or 'networks: [none]'"),
    "networks": ("components", "remove it: a network is made when a container names it"),
    "readinessProbe": ("probes", "put it under 'probes:', with its livenessProbe and startupProbe"),
    "services": (
        "components",
        "Compose's services are 'components' here; what else differs, 'From a Compose file' in "
        "docs/how-to/containers.md says",
    ),
    "startupProbe": ("probes", "put it under 'probes:', with its livenessProbe and readinessProbe"),
    "tmpfs": ("volumes", "write 'volumes: [{type: tmpfs, target: /PATH}]'"),
    "ulimits": ("limits", "write 'limits: {nofile: ..., nproc: ..., core: ...}'"),
    "volumes": (
        "components",
        "remove it: a volume is made when a container names it, unless it says there that it is 'external'",
    ),
}
# Those that nothing here does. Without this list, some would be taken for the misspelt name of something else.
_NOT_HERE = frozenset(
    ("annotations", "attach", "blkio_config", "cap_add", "cap_drop", "cgroup", "cgroup_parent", "configs", "cpu_count",
     "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpuset",
     "credential_spec", "develop", "device_cgroup_rules", "devices", "dns", "dns_opt", "dns_search", "domainname",
     "external_links", "extra_hosts", "gpus", "group_add", "hostname", "init", "ipc", "isolation", "label_file",
     "mac_address", "mem_reservation", "mem_swappiness", "memswap_limit", "models", "oom_kill_disable",
     "oom_score_adj", "pid", "pids_limit", "privileged", "provider", "read_only", "runtime", "secrets", "security_opt",
     "shm_size", "stdin_open", "storage_opt", "sysctls", "tty", "use_api_socket", "userns_mode", "uts",
     "volumes_from")
)  # fmt: skip


def instead_of(word: str, known: Collection[str]) -> str:
    """What to do instead of ``word``, a key of Compose or Kubernetes, among keys that are ``known``; or nothing."""
    beside, words = _INSTEAD.get(word, ("", ""))
    if beside in known:
        return f"; {words}"
    return "; Compose has it, and there is nothing like it here" if word in _NOT_HERE and "image" in known else ""


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


def meant(word: str, known: Collection[str]) -> str | None:
    """The known key that the error of an unknown key ``word`` speaks of."""
    beside, _ = _INSTEAD.get(word, ("", ""))
    return beside if beside in known else nearest(word, known)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """``; did you mean 'restart'?``, or nothing."""
    found = nearest(word, known)
    return f"; did you mean '{found}'?" if found else ""
