"""A component as the file has it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stigmer_pm.config.block import Block, ListAs, ListOf
from stigmer_pm.config.field_container import EngineName, ImageName, Platform
from stigmer_pm.config.field_lists import Command, CommandText, Pairs, Texts
from stigmer_pm.config.field_running import ExitStatuses, Restart, RestartRule, SignalName, Umask
from stigmer_pm.config.field_units import Duration
from stigmer_pm.config.fields import Choice, Flag, Later, Text, Whole
from stigmer_pm.config.model_container import NetworkBlock, PortBlock
from stigmer_pm.config.model_later import HooksBlock, WatchBlock
from stigmer_pm.config.model_mount import MountBlock
from stigmer_pm.config.model_probe import ProbeSet
from stigmer_pm.config.model_rules import BackoffBlock, DependencyBlock, LimitsBlock, LogBlock, NamesOr
from stigmer_pm.spec.component import SuccessExits

#: What ``max_restarts: unlimited`` is read as.
UNLIMITED = -1

_ANY_TEXT = Text("text", takes_any=True, may_be_empty=True)
_NAME = Text("a name", takes_any=True)
_PATH = Text("a path")
_PULL = Choice(("missing", "always", "never"), {"if_not_present": "missing"})


class Component(Block):
    """What runs (exactly one of `command` and `image`; with `image`, `command` is the container's), and how."""

    command: Annotated[CommandText | None, Command()] = Field(
        None,
        description="The program and its arguments. A string is split into words as a shell would, but no shell runs "
        "it. With `image`, the container's command.",
        examples=["python3 -m http.server 8000", ["node", "server.js"]],
    )
    shell: Annotated[bool | None, Flag()] = Field(
        None,
        description="Run the string by `/bin/sh -c`.",
        examples=[True],
        json_schema_extra={"default": False},
    )
    image: Annotated[str | None, ImageName()] = Field(
        None, description="The image of a container.", examples=["redis:7", "ghcr.io/org/app:1.2"]
    )
    entrypoint: Annotated[CommandText | None, Command(may_be_empty=True)] = Field(
        None, description="Replaces the image's entrypoint. Containers only.", examples=[["/entry.sh", "-v"]]
    )
    ports: Annotated[list[PortBlock] | None, ListOf()] = Field(
        None, description="Published ports, as Compose has them. Containers only.", examples=[["8080:80"]]
    )
    volumes: Annotated[list[MountBlock] | None, ListOf()] = Field(
        None, description="Volumes, as Compose has them. Containers only.", examples=[["./data:/data:ro"]]
    )
    networks: Annotated[dict[str, NetworkBlock] | None, NamesOr(takes_one=True)] = Field(
        None,
        description="Networks that the container joins, the project's own when not given: a list of names, or a "
        "mapping of names to `{aliases}`. `host` (the machine's own network) and `none` stand alone. Containers only.",
        examples=[["backend"], {"backend": {"aliases": ["db"]}}],
    )
    container_name: Annotated[str | None, EngineName("a name", is_whole=True)] = Field(
        None, description="The container's name; PROJECT-COMPONENT when not given.", examples=["shop-redis"]
    )
    pull: Annotated[str | None, _PULL] = Field(
        None,
        description="When the image is pulled: `missing`, `always` or `never`. Containers only.",
        examples=["always"],
        json_schema_extra={"default": "missing"},
    )
    platform: Annotated[str | None, Platform()] = Field(
        None,
        description="The platform of the image: `OS`, `OS/ARCH` or `OS/ARCH/VARIANT`. Containers only.",
        examples=["linux/arm64"],
    )
    description: Annotated[str | None, _ANY_TEXT] = Field(
        None, description="Shown by `describe`.", examples=["The web front end"]
    )
    labels: Annotated[dict[str, str] | None, Pairs("a label")] = Field(
        None, description="Names and values by which components are selected.", examples=[{"team": "shop"}]
    )
    working_dir: Annotated[str | None, _PATH] = Field(
        None,
        description="The folder that the program runs in; the file's folder when not given. Must exist when the "
        "component starts. For a container, an absolute path in it.",
        examples=["./backend"],
    )
    environment: Annotated[dict[str, str | None] | None, Pairs("a variable", may_be_null=True)] = Field(
        None,
        description="Variables: a mapping, or a list of `NAME=VALUE`. A null value (or a name alone) passes the "
        "caller's variable on. Beneath lies the environment of the `up` that started the supervisor.",
        examples=[{"PORT": 8080, "HOME": None}, ["PORT=8080"]],
    )
    env_file: Annotated[tuple[str, ...] | None, Texts(_PATH)] = Field(
        None,
        description="Files of variables in dotenv format; `environment` wins over them.",
        examples=["web.env", ["common.env", "web.env"]],
    )
    user: Annotated[str | None, _NAME] = Field(
        None, description="The user to run as, by name or number.", examples=["www"]
    )
    group: Annotated[str | None, _NAME] = Field(
        None, description="The group to run as, by name or number. Processes only.", examples=["www"]
    )
    umask: Annotated[int | None, Umask()] = Field(
        None, description="The umask in octal digits. Processes only.", examples=["022"]
    )
    nice: Annotated[int | None, Whole(-20, 19)] = Field(
        None, description="The scheduling priority, 19 the lowest. Processes only.", examples=[10]
    )
    limits: LimitsBlock | None = Field(None, description="Resource limits.", examples=[{"nofile": 65536}])
    restart: Annotated[Restart | None, RestartRule()] = Field(
        None,
        description="When a run that ended is followed by another: `always`, `on-failure` (`on-failure:N` with "
        "N as `max_restarts`), `unless-stopped` (as `always`, but what was stopped by hand stays stopped) or `never`.",
        examples=["on-failure:3"],
        json_schema_extra={"default": "always"},
    )
    min_uptime: Annotated[float | None, Duration(is_above_zero=True)] = Field(
        None,
        description="A run that ends by itself before this has failed.",
        examples=["30s"],
        json_schema_extra={"default": "10s"},
    )
    max_restarts: Annotated[int | None, Whole(0, 2**31 - 1, {"unlimited": UNLIMITED})] = Field(
        None,
        description="So many failed runs in a row are restarted within `restart_window`; 0: none, `unlimited`: all.",
        examples=[5, "unlimited"],
        json_schema_extra={"default": 10},
    )
    restart_window: Annotated[float | None, Duration(is_above_zero=True)] = Field(
        None,
        description="The time in which `max_restarts` are counted.",
        examples=["1h"],
        json_schema_extra={"default": "10m"},
    )
    backoff: BackoffBlock | None = Field(
        None,
        description="The wait before a failed run is followed by another. `backoff: 5s` is always 5 s.",
        examples=["5s", {"initial": "500ms", "max": "5m"}],
    )
    success_exit_codes: Annotated[SuccessExits | None, ExitStatuses()] = Field(
        None,
        description="Exit statuses and signals that are a success for `on-failure` and for `completed`.",
        examples=[[0, 143, "SIGTERM"]],
        json_schema_extra={"default": [0]},
    )
    stop_signal: Annotated[int | None, SignalName()] = Field(
        None,
        description="The signal that asks it to stop, with or without `SIG`. A container's default is the image's "
        "STOPSIGNAL, or SIGTERM.",
        examples=["SIGINT"],
        json_schema_extra={"default": "SIGTERM"},
    )
    stop_timeout: Annotated[float | None, Duration()] = Field(
        None,
        description="How long it may take to stop, before it is killed.",
        examples=["30s"],
        json_schema_extra={"default": "10s"},
    )
    probes: ProbeSet | None = Field(
        None,
        description="How its health is known: `startup`, `liveness`, `readiness`.",
        examples=[{"liveness": {"http": "http://127.0.0.1:8080/healthz"}}],
    )
    depends_on: Annotated[dict[str, DependencyBlock] | None, NamesOr()] = Field(
        None,
        description="What must be there before this one starts: a list of names, or a mapping of names to "
        "`{condition, restart}`.",
        examples=[["database"], {"database": {"condition": "ready", "restart": True}}],
    )
    log: LogBlock | None = Field(
        None, description="Where stdout and stderr go: a path, or a mapping.", examples=["logs/web.log"]
    )
    replicas: Annotated[
        int | None, Whole(1, 10_000), Later("write one component for each instance", lambda count: count == 1)
    ] = Field(
        None,
        description="How many instances run. More than 1: not supported yet.",
        examples=[1],
        json_schema_extra={"default": 1},
    )
    profiles: Annotated[tuple[str, ...] | None, Texts(_NAME)] = Field(
        None, description="Run only when one of these is chosen (`--profile`), or by name.", examples=[["debug"]]
    )
    autostart: Annotated[bool | None, Flag()] = Field(
        None,
        description="`false`: run only when started by name, or needed by another.",
        examples=[False],
        json_schema_extra={"default": True},
    )
    schedule: Annotated[str | None, Text("a cron expression"), Later("remove it; cron can call 'stigmer-pm start'")] = (
        Field(
            None,
            description="A cron expression: run to completion at those times. Not supported yet.",
            examples=["0 3 * * *"],
        )
    )
    watch: Annotated[
        WatchBlock | None, ListAs("paths"), Later("remove it; 'stigmer-pm restart' after a change does the same")
    ] = Field(None, description="Restart when these files change. Not supported yet.", examples=[["src"]])
    hooks: Annotated[HooksBlock | None, Later("remove it; a script as the command can call what goes before")] = Field(
        None, description="Commands around a run. Not supported yet.", examples=[{"pre_start": "./migrate.sh"}]
    )
    notify: Annotated[object, Later("remove it; 'stigmer-pm events --follow' tells what happens")] = Field(
        None, description="Who is told of what happens. Not supported yet.", examples=[{}]
    )


CONTAINER_ONLY = ("entrypoint", "ports", "volumes", "networks", "container_name", "pull", "platform")
PROCESS_ONLY = ("shell", "group", "umask", "nice")
