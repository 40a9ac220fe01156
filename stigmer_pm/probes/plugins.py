"""Probes of other packages: classes that are registered as entry points of the group ``stigmer_pm.probes``.

Such a class is a dataclass. Its fields are what stands under its name in the file, and are checked by their types and
by what its ``__post_init__`` refuses with a ``ValueError``::

    @dataclass(frozen=True)
    class Redis:
        port: int
        host: str = "127.0.0.1"

        async def check(self, timeout: float, context: ProbeContext) -> CheckResult: ...

    [project.entry-points."stigmer_pm.probes"]
    redis = "stigmer_redis:Redis"
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol, cast

from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes.reason import seconds
from stigmer_pm.probes.result import CheckResult
from stigmer_pm.probes.runner import ProbeContext
from stigmer_pm.spec import PluginCheck
from stigmer_pm.spec.codec import decode

GROUP = "stigmer_pm.probes"


class PluginProbe(Protocol):
    """What the class of another package offers. One object makes all attempts of a probe in one run."""

    async def check(self, timeout: float, context: ProbeContext) -> CheckResult:
        """Make one attempt. It is cancelled after ``timeout`` seconds, and is a failure then; an error is discarded."""
        ...


class PluginUnusable(Exception):
    """The class can't be used, or not with these fields; the message says why."""


@cache
def plugin_types() -> tuple[str, ...]:
    """The names of all probes of other packages that are installed."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


@cache
def _plugin_class(name: str) -> type[PluginProbe]:
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        raise PluginUnusable(f"no installed package has the probe '{name}'")
    try:
        loaded = found.load()
    except Exception as error:  # importing somebody's module may raise anything
        raise PluginUnusable(f"cannot load the probe '{name}' ({found.value}): {error}") from error
    if not (isinstance(loaded, type) and is_dataclass(loaded) and callable(getattr(loaded, "check", None))):
        raise PluginUnusable(f"the probe '{name}' ({found.value}) is no dataclass with a method 'check'")
    return cast("type[PluginProbe]", loaded)


def make_plugin(name: str, fields: Mapping[str, object]) -> PluginProbe:
    """The probe ``name`` with these fields.

    Raises:
        PluginUnusable: there is no such probe, or its fields are not what it takes.
    """
    kind = _plugin_class(name)
    try:
        return decode(kind, dict(fields))
    except (ValueError, TypeError) as error:
        raise PluginUnusable(str(error).removeprefix(f"{kind.__name__}: ")) from error


async def check_plugin(check: PluginCheck, timeout: float, context: ProbeContext) -> CheckResult:
    """Make one attempt of another package's probe within ``timeout`` seconds."""
    plugin = context.memory.get("plugin")
    if plugin is None:
        try:
            plugin = context.memory["plugin"] = make_plugin(check.type, json.loads(check.fields))
        except PluginUnusable as error:
            return CheckResult(Outcome.FAILURE, f"cannot probe: {error}")
    try:
        async with asyncio.timeout(timeout) as limit:
            return await cast(PluginProbe, plugin).check(timeout, context)
    except TimeoutError:
        if not limit.expired():
            raise
        return CheckResult(Outcome.FAILURE, f"{check.type}: no answer within {seconds(timeout)}")
