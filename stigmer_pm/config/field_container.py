"""The types of what only containers have: names of images and networks, platforms, addresses, permission bits."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from stigmer_pm.config.fields import INTERPOLATED, JsonSchema, Reader, Text, found_words, scalar_of, wrong

# What a Docker engine takes as the name of a container, a volume or a network, but for its length.
_ENGINE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)

# The grammar of github.com/distribution/reference: [DOMAIN[:PORT]/]PATH[:TAG][@DIGEST].
_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PATH_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = rf"(?:{_DOMAIN}/)?{_PATH_PART}(?:/{_PATH_PART})*"
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}", re.ASCII)
_IMAGE = re.compile(rf"(?P<name>{_NAME})(?::{_TAG.pattern})?(?:@{_DIGEST.pattern})?", re.ASCII)
# distribution/reference: NameTotalLengthMax.
_LONGEST_NAME = 255
# A name, a tag of 128 characters, and a digest of 512 bits with a long name; what is longer is not looked at closely.
_LONGEST_IMAGE = _LONGEST_NAME + 130 + 260

# containerd's platforms: each part of these characters.
_PLATFORM = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+){0,2}", re.ASCII)
_MODE = re.compile(r"(?:0o)?([0-7]{1,5})", re.ASCII)


class ImageName(Reader):
    """The name of an image, such as ``redis:7`` or ``ghcr.io/org/app@sha256:…``."""

    __slots__ = ()

    def read(self, value: object) -> str:
        """The name, as written."""
        text = Text("the name of an image").read(value)
        found = _IMAGE.fullmatch(text) if len(text) <= _LONGEST_IMAGE else None
        if found is None or len(found["name"]) > _LONGEST_NAME:
            expected = "expected the name of an image such as redis:7 or ghcr.io/org/app:1.2"
            raise wrong(f"{expected}, found {found_words(text)}{_image_hint(text)}")
        return text

    def schema(self) -> JsonSchema:
        """A string."""
        return {"type": "string", "minLength": 1}


def _image_hint(text: str) -> str:
    """What is likely to be wrong with the name of an image."""
    rest, at, digest = text.partition("@")
    # A colon before the last slash is that of a port.
    tag_at = rest.rfind(":") if rest.rfind(":") > rest.rfind("/") else len(rest)
    name, tag = rest[:tag_at], rest[tag_at + 1 :]
    if any(character.isspace() for character in text):
        return "; there are no blanks in it"
    if "://" in text:
        return f"; write it without '{text.partition('://')[0]:.20}://'"
    if len(name) > _LONGEST_NAME:
        return f"; the name before the tag has at most {_LONGEST_NAME} characters"
    if re.fullmatch(_NAME, name) is None:
        if re.fullmatch(_NAME, name.lower()) is not None:
            return f"; it is written in lower case: '{name.lower():.60}'"
        return ""
    if tag_at < len(rest) and not tag:
        return "; the tag after ':' is empty"
    if at and not _DIGEST.fullmatch(digest):
        return "; after '@' comes a digest such as sha256: and 64 hexadecimal digits"
    if tag and not _TAG.fullmatch(tag):
        return "; a tag has at most 128 letters, digits, '_', '.' and '-', and begins with none of the last two"
    return ""


class Platform(Reader):
    """``OS``, ``OS/ARCH`` or ``OS/ARCH/VARIANT``."""

    __slots__ = ()

    def read(self, value: object) -> str:
        """The platform, as written."""
        text = Text("a platform such as linux/arm64").read(value)
        if not _PLATFORM.fullmatch(text):
            raise wrong(f"expected a platform such as linux/amd64 or linux/arm/v7, found {found_words(text)}")
        return text

    def schema(self) -> JsonSchema:
        """A string."""
        return {"type": "string", "pattern": rf"^{_PLATFORM.pattern}$|\$"}


class Address(Reader):
    """An address of this machine."""

    __slots__ = ()

    def read(self, value: object) -> str:
        """The address, an IPv6 one without its brackets."""
        text = Text("an address such as 127.0.0.1").read(value)
        address = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        try:
            ipaddress.ip_address(address)
        except ValueError:
            hint = "; write 127.0.0.1" if text == "localhost" else ""
            raise wrong(f"expected an address such as 127.0.0.1 or ::1, found {found_words(text)}{hint}") from None
        return address

    def schema(self) -> JsonSchema:
        """A string."""
        return {"type": "string", "minLength": 1}


class PermissionBits(Reader):
    """Octal digits, as for chmod: ``755``, ``"1777"`` or ``0o700``."""

    __slots__ = ()

    def read(self, value: object) -> int:
        """The bits. The text counts, for YAML reads ``755`` as a decimal number."""
        scalar = scalar_of(value, "permission bits such as 0755")
        found = _MODE.fullmatch(scalar.text.strip())
        if not found or int(found[1], 8) > 0o7777:
            raise wrong(f"expected permission bits, octal digits from 0000 to 7777, found {found_words(scalar)}")
        return int(found[1], 8)

    def schema(self) -> JsonSchema:
        """A string of octal digits, or a number with such digits."""
        text: JsonSchema = {"type": "string", "pattern": r"^(0o)?[0-7]{1,5}$"}
        return {"anyOf": [text, {"type": "integer", "minimum": 0, "maximum": 7777}, INTERPOLATED]}


@dataclass(frozen=True, slots=True)
class EngineName(Text):
    """The name of something that a Docker engine keeps. ``is_whole``: nothing is put before it."""

    is_whole: bool = False

    def read(self, value: object) -> str:
        """The name."""
        text = Text.read(self, value)
        if not is_engine_name(text, is_whole=self.is_whole):
            raise wrong(f"expected {engine_name_words(is_whole=self.is_whole)}, found {found_words(text)}")
        return text

    def schema(self) -> JsonSchema:
        """A string."""
        return {"type": "string", "pattern": rf"^{_ENGINE_NAME.pattern}$|\$"}


def is_engine_name(text: str, *, is_whole: bool = False) -> bool:
    """Whether a Docker engine takes ``text`` as a name, or as the end of one. It refuses names of one character."""
    return _ENGINE_NAME.fullmatch(text) is not None and len(text) > int(is_whole)


def engine_name_words(*, is_whole: bool = False) -> str:
    """What :func:`is_engine_name` takes."""
    count = "two or more " if is_whole else ""
    return f"a name of {count}letters, digits, '_', '.' and '-' that begins with a letter or digit"
