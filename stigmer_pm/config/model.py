"""The file as a whole."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from stigmer_pm.config.block import Block
from stigmer_pm.config.field_lists import Texts
from stigmer_pm.config.fields import JsonSchema, Reader, Text, found_words, scalar_of, typed, wrong
from stigmer_pm.config.model_component import Component
from stigmer_pm.config.names import COMPONENT_NAME, PROJECT_NAME


class Version(Reader):
    """The version of the format: 1."""

    __slots__ = ()

    def read(self, value: object) -> int:
        """1."""
        scalar = scalar_of(value, "version 1")
        found = typed(scalar)
        if isinstance(found, bool) or found not in (1, "1"):
            raise wrong(f"expected 1, the one version of the format that there is, found {found_words(scalar)}")
        return 1

    def schema(self) -> JsonSchema:
        """1."""
        return {"enum": [1, "1"]}


class ProjectName(Reader):
    """The name of a project."""

    __slots__ = ()

    def read(self, value: object) -> str:
        """The name."""
        text = Text("a name", takes_any=True).read(value)
        if not PROJECT_NAME.fullmatch(text):
            words = "expected at most 63 lower-case letters, digits, '_' and '-', the first a letter or digit"
            raise wrong(f"{words}, found {found_words(text)}")
        return text

    def schema(self) -> JsonSchema:
        """A string."""
        return {"type": "string", "pattern": rf"^{PROJECT_NAME.pattern}$|\$"}


class File(Block):
    """The components of a project, and how they are kept running. Keys that begin with `x-` are ignored."""

    model_config = ConfigDict(json_schema_extra={"required": ["components"]})

    version: Annotated[int | None, Version()] = Field(
        None, description="The version of this format.", examples=[1], json_schema_extra={"default": 1}
    )
    project: Annotated[str | None, ProjectName()] = Field(
        None,
        description="The project's name; the folder's when not given. Names of containers begin with it.",
        examples=["shop"],
    )
    env_file: Annotated[tuple[str, ...] | None, Texts(Text("a path"))] = Field(
        None,
        description="Files of variables for `${VAR}` in this file, beneath the caller's environment.",
        examples=[".env", ["common.env", "local.env"]],
        json_schema_extra={"default": ".env"},
    )
    state_dir: Annotated[str | None, Text("a path")] = Field(
        None,
        description="Where state, logs and pid files are kept; relative to the folder of the file.",
        examples=["/var/lib/shop"],
        json_schema_extra={"default": ".stigmer"},
    )
    defaults: Component | None = Field(
        None,
        description="A component's fields, merged under every component: mappings merge, all else is replaced.",
        examples=[{"restart": "on-failure", "environment": {"TZ": "UTC"}}],
    )
    components: dict[str, Component] | None = Field(
        None,
        description="The components by name.",
        examples=[{"web": {"command": "python3 -m http.server"}}],
        json_schema_extra={
            "minProperties": 1,
            "patternProperties": {"^x-": {}},
            "propertyNames": {"pattern": f"^{COMPONENT_NAME.pattern}$"},
        },
    )
