"""The smaller mappings of a component: backoff, limits, dependencies, the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from stigmer_pm.config.block import Block
from stigmer_pm.config.field_units import Duration, Size
from stigmer_pm.config.fields import (
    Choice,
    FieldError,
    Finding,
    Flag,
    JsonSchema,
    Later,
    Number,
    Text,
    Whole,
    found_words,
    scalar_of,
    wrong,
)
from stigmer_pm.config.nodes import Scalar
from stigmer_pm.spec.component import Condition

# What setrlimit takes as "no limit" (RLIM_INFINITY).
_UNLIMITED = {"unlimited": -1}
# The kernel gives no less than 1 ms of each 100 ms; Docker wants billionths of a CPU in 64 bits, and no machine has as
# many as the other.
_LEAST_CPU = 0.01
_MOST_CPU = 100_000
_COMPOSE_CONDITIONS = {
    "service_started": "started",
    "service_healthy": "ready",
    "service_completed_successfully": "completed",
}


class BackoffBlock(Block):
    """The wait after the n-th failed run in a row: `initial * factor^(n-1)`, at most `max`."""

    expected: ClassVar[str] = "a duration or a mapping"
    short_schema: ClassVar[JsonSchema | None] = Duration().schema()

    initial: Annotated[float | None, Duration()] = Field(
        None,
        description="The wait after the first failed run.",
        examples=["500ms"],
        json_schema_extra={"default": "1s"},
    )
    factor: Annotated[float | None, Number(1, 1000)] = Field(
        None, description="By how much each wait is longer.", examples=[1.5], json_schema_extra={"default": 2}
    )
    max: Annotated[float | None, Duration()] = Field(
        None, description="The longest wait.", examples=["5m"], json_schema_extra={"default": "60s"}
    )
    jitter: Annotated[float | None, Number(0, 1)] = Field(
        None,
        description="The share of a wait that chance may take off, so that many don't start at once.",
        examples=[0.2],
        json_schema_extra={"default": 0},
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """A constant wait."""
        return {"initial": scalar, "factor": 1, "max": scalar}


class LimitsBlock(Block):
    """Resource limits; what is not given is as the supervisor has it, or, for a container, as the engine has it."""

    nofile: Annotated[int | None, Whole(0, 2**63 - 1, _UNLIMITED)] = Field(
        None, description="The most open files.", examples=[65536]
    )
    nproc: Annotated[int | None, Whole(0, 2**63 - 1, _UNLIMITED)] = Field(
        None, description="The most processes and threads of its user.", examples=[4096]
    )
    core: Annotated[int | None, Size(-1)] = Field(
        None, description="The largest core file; 0 for none.", examples=[0, "unlimited"]
    )
    memory: Annotated[int | None, Size()] = Field(
        None, description="The most memory, 6 MiB or more. Containers only, so far.", examples=["512MiB"]
    )
    cpu: Annotated[float | None, Number(_LEAST_CPU, _MOST_CPU)] = Field(
        None, description="The most CPUs, 0.01 or more. Containers only, so far.", examples=[1.5]
    )


class DependencyBlock(Block):
    """What a dependency must have reached before this component starts."""

    expected: ClassVar[str] = "a mapping with 'condition' or 'restart'"

    condition: Annotated[str | None, Choice(tuple(Condition), _COMPOSE_CONDITIONS)] = Field(
        None,
        description="`started` (the default for a dependency without probes), `ready` (the default for one with "
        "probes) or `completed`. Compose's names are accepted. A dependency without a startup or readiness probe is "
        "`ready` as soon as it runs.",
        examples=["ready"],
    )
    restart: Annotated[bool | None, Flag()] = Field(
        None,
        description="Restart this component when the dependency restarts.",
        examples=[True],
        json_schema_extra={"default": False},
    )


@dataclass(frozen=True, slots=True)
class NamesOr:
    """A list of names in place of a mapping with these names and nothing under them.

    ``takes_one``: one name alone as well.
    """

    takes_one: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        names: JsonSchema = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
        one: list[JsonSchema] = [{"type": "string", "minLength": 1}] if self.takes_one else []
        return {"anyOf": [*one, names, handler(schema)]}

    def _read(self, value: object) -> object:
        if isinstance(value, dict):
            return value
        if value is None or (isinstance(value, Scalar) and value.value is None):
            return {}
        if isinstance(value, Scalar) and value.is_unfilled:
            raise FieldError()
        if self.takes_one and isinstance(value, (str, Scalar)):
            return {scalar_of(value, "a name").text: {}}
        if not isinstance(value, (list, tuple)) or isinstance(value, Scalar):
            raise wrong(f"expected a list of names, or a mapping, found {found_words(value)}")
        found: dict[str, object] = {}
        for index, item in enumerate(value):
            try:
                found[scalar_of(item, "a name").text] = {}
            except FieldError as error:
                raise FieldError(*(Finding(finding.message, (index,)) for finding in error.findings)) from None
        return found


_LOG_LATER = "remove it, for the log is not rotated"


class LogBlock(Block):
    """Where stdout and stderr go."""

    expected: ClassVar[str] = "a path or a mapping"
    short_schema: ClassVar[JsonSchema | None] = {"type": "string", "minLength": 1}

    path: Annotated[str | None, Text("a path")] = Field(
        None,
        description="The file; relative to the folder of the file. Parent folders are made.",
        examples=["logs/web.log"],
        json_schema_extra={"default": ".stigmer/logs/NAME.log"},
    )
    max_size: Annotated[int | None, Size(), Later(_LOG_LATER, lambda size: size == 0)] = Field(
        None, description="The log is rotated at this size; 0: never. Not supported yet but for 0.", examples=[0]
    )
    keep: Annotated[int | None, Whole(0), Later(_LOG_LATER)] = Field(
        None, description="How many rotated files are kept. Not supported yet.", examples=[5]
    )
    compress: Annotated[bool | None, Flag(), Later(_LOG_LATER)] = Field(
        None, description="Rotated files are compressed. Not supported yet.", examples=[True]
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """A path."""
        return {"path": scalar}
