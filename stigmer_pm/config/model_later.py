"""Mappings of a component whose behaviour is still to come: checked like all others, and then refused."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from stigmer_pm.config.block import Block, ListAs
from stigmer_pm.config.field_lists import Command, CommandText, Texts
from stigmer_pm.config.field_running import SignalName
from stigmer_pm.config.field_units import Duration
from stigmer_pm.config.fields import Choice, JsonSchema, Text
from stigmer_pm.config.nodes import Scalar


class WatchBlock(Block):
    """Restart on file change. Not supported yet."""

    expected: ClassVar[str] = "a path, a list of paths or a mapping"
    short_schema: ClassVar[JsonSchema | None] = Texts(Text("a path")).schema()

    paths: Annotated[tuple[str, ...] | None, Texts(Text("a path"))] = Field(
        None, description="Files and folders to watch.", examples=[["src"]]
    )
    ignore: Annotated[tuple[str, ...] | None, Texts(Text("a pattern"))] = Field(
        None, description="Patterns of what is not watched.", examples=[["*.tmp"]]
    )
    debounce: Annotated[float | None, Duration()] = Field(
        None, description="How long nothing more must change.", examples=["200ms"]
    )
    action: Annotated[str | None, Choice(("restart", "signal"), {})] = Field(
        None, description="What is done.", examples=["restart"]
    )
    signal: Annotated[int | None, SignalName()] = Field(None, description="Which signal is sent.", examples=["SIGHUP"])

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """One path."""
        return {"paths": scalar}


class HookBlock(Block):
    """A command at a point in the life of a run. Not supported yet."""

    expected: ClassVar[str] = "a command or a mapping"
    short_schema: ClassVar[JsonSchema | None] = Command().schema()

    command: Annotated[CommandText, Command()] = Field(description="The command.", examples=["./migrate.sh"])
    timeout: Annotated[float | None, Duration()] = Field(None, description="How long it may take.", examples=["30s"])

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """A command."""
        return {"command": scalar}


class HooksBlock(Block):
    """Commands around a run. Not supported yet."""

    pre_start: Annotated[HookBlock | None, ListAs("command")] = Field(
        None, description="Before the program starts.", examples=["./migrate.sh"]
    )
    post_start: Annotated[HookBlock | None, ListAs("command")] = Field(
        None, description="After it has started.", examples=["./announce.sh"]
    )
    pre_stop: Annotated[HookBlock | None, ListAs("command")] = Field(
        None, description="Before it is stopped.", examples=["./drain.sh"]
    )
    post_stop: Annotated[HookBlock | None, ListAs("command")] = Field(
        None, description="After it has ended.", examples=["./clean.sh"]
    )
