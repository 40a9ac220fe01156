"""Volumes of containers, in Compose's short and long forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import Field

from stigmer_pm.config.block import Block
from stigmer_pm.config.field_container import PermissionBits
from stigmer_pm.config.field_units import Size
from stigmer_pm.config.fields import Choice, Flag, JsonSchema, Text, found_words, wrong
from stigmer_pm.config.nodes import Scalar

# Compose's words for how soon a change must be seen on the other side. They are for engines in a virtual machine, and
# Linux ignores them, so they can be taken without a trap.
_CONSISTENCIES = ("consistent", "cached", "delegated")
_ACCESS = ("ro", "rw")
_SELINUX = ("z", "Z")
#: What may stand after the second colon of the short form.
_OPTIONS = (*_ACCESS, *_SELINUX, "nocopy", *_CONSISTENCIES)


class BindBlock(Block):
    """What only `type: bind` has."""

    create_host_path: Annotated[bool | None, Flag()] = Field(
        None,
        description="A source that isn't there is made, as a folder.",
        examples=[False],
        json_schema_extra={"default": True},
    )
    selinux: Annotated[str | None, Choice(_SELINUX, {})] = Field(
        None, description="The label for SELinux: `z` shared with other containers, `Z` private.", examples=["z"]
    )


class VolumeBlock(Block):
    """What only `type: volume` has."""

    nocopy: Annotated[bool | None, Flag()] = Field(
        None,
        description="A new volume stays empty; otherwise it begins with what the image has at the target.",
        examples=[True],
        json_schema_extra={"default": False},
    )
    subpath: Annotated[str | None, Text("a path in the volume")] = Field(
        None, description="A folder of the volume, in place of all of it. Needs Docker 26 or later.", examples=["data"]
    )


class TmpfsBlock(Block):
    """What only `type: tmpfs` has."""

    size: Annotated[int | None, Size()] = Field(
        None, description="The most it may hold; half of the machine's memory when not given.", examples=["64MiB"]
    )
    mode: Annotated[int | None, PermissionBits()] = Field(
        None,
        description="The permission bits, always in octal digits.",
        examples=["0755"],
        json_schema_extra={"default": "1777"},
    )


class MountBlock(Block):
    """A volume. The short form is `[SOURCE:]TARGET[:OPTIONS]`.

    A source that begins with `.`, `/` or `~` is a path, and any other one is the name of a volume. The options, with
    commas between them: `ro` or `rw`, `z` or `Z` (SELinux), `nocopy`, and `cached`, `delegated` or `consistent`.
    """

    expected: ClassVar[str] = "a volume such as ./data:/data, or a mapping"
    short_schema: ClassVar[JsonSchema | None] = {"type": "string", "minLength": 1}

    type: Annotated[str | None, Choice(("bind", "volume", "tmpfs"), {})] = Field(
        None,
        description="A folder or file of this machine, a volume of the engine, or memory.",
        examples=["bind"],
        json_schema_extra={"default": "volume"},
    )
    source: Annotated[str | None, Text("a path or the name of a volume")] = Field(
        None,
        description="The path on this machine (relative to the folder of the file; `~` is the caller's home), or the "
        "name of the volume, which on the engine is PROJECT-NAME. A volume without one is the container's own.",
        examples=["./data", "data"],
    )
    target: Annotated[str, Text("a path in the container")] = Field(
        description="The absolute path in the container.", examples=["/var/lib/data"]
    )
    read_only: Annotated[bool | None, Flag()] = Field(
        None,
        description="The container can't write to it.",
        examples=[True],
        json_schema_extra={"default": False},
    )
    external: Annotated[bool | None, Flag()] = Field(
        None,
        description="The volume exists already, under exactly this name. Volumes only.",
        examples=[True],
        json_schema_extra={"default": False},
    )
    bind: BindBlock | None = Field(
        None, description="More about a path of this machine.", examples=[{"create_host_path": False}]
    )
    volume: VolumeBlock | None = Field(None, description="More about a volume.", examples=[{"nocopy": True}])
    tmpfs: TmpfsBlock | None = Field(None, description="More about memory.", examples=[{"size": "64MiB"}])
    consistency: Annotated[str | None, Choice(("default", *_CONSISTENCIES), {})] = Field(
        None, description="Compose's; changes nothing on Linux.", examples=["cached"]
    )

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object]:
        """``./data:/data:ro``."""
        parts = scalar.text.split(":")
        if len(parts) > 3 or not all(parts):
            raise wrong(f"expected {cls.expected}, found {found_words(scalar)}")
        if len(parts) == 1:
            return {"type": "volume", "target": parts[0]}
        kind = "bind" if parts[0][0] in "./~" else "volume"
        options = parts[2].split(",") if len(parts) == 3 else []
        return {"type": kind, "source": parts[0], "target": parts[1], **_of_options(kind, options)}


def _of_options(kind: str, options: Iterable[str]) -> dict[str, object]:
    """The fields that the options of the short form stand for.

    Raises:
        FieldError: one is unknown, or two of them say different things.
    """
    said: dict[str, str] = {}
    for option in options:
        if option not in _OPTIONS:
            others = f"{', '.join(_OPTIONS[:-1])} or {_OPTIONS[-1]}"
            raise wrong(f"expected {others} at the end of the volume, found '{option:.60}'")
        group = next((group for group in (_ACCESS, _SELINUX, _CONSISTENCIES) if option in group), (option,))
        first = said.setdefault(group[0], option)
        if first != option:
            raise wrong(f"expected one of {' and '.join(sorted((first, option)))} at the end of the volume, found both")
    fields: dict[str, object] = {"read_only": said.get("ro") == "ro"}
    if "z" in said:
        # A volume may be labelled as well; Compose, too, has the field under 'bind' for both.
        fields["bind"] = {"selinux": said["z"]}
    if "nocopy" in said:
        fields["volume"] = {"nocopy": True}
    return fields
