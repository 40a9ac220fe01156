"""Masking the values in a document that look secret. What looks so is decided by :mod:`stigmer_pm.secrets`."""

from __future__ import annotations

from stigmer_pm.config.nodes import Plain
from stigmer_pm.secrets import mask_value


def mask_secrets(document: dict[str, Plain]) -> dict[str, Plain]:
    """A copy in which variables and headers whose name looks secret, and the passwords of URLs, are masked."""
    return {key: _masked(value, (key,)) for key, value in document.items()}


def _masked(value: Plain, path: tuple[str, ...]) -> Plain:
    """``value``, which stands at ``path``, to show. A path leads through the keys alone."""
    if path[0] == "components" and path[2:] == ("environment",):
        return _pairs(value)
    if path[0] == "components" and path[2:3] == ("probes",) and path[-1] in ("headers", "httpHeaders"):
        return _headers(value)
    if isinstance(value, dict):
        return {key: _masked(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, path) for item in value]
    return mask_value("", value) if isinstance(value, str) else value


def _pairs(value: Plain) -> Plain:
    """Variables: a mapping, or a list of ``NAME=VALUE``."""
    if isinstance(value, dict):
        return {name: _named(name, item) for name, item in value.items()}
    return [_pair(item) for item in value] if isinstance(value, list) else value


def _pair(item: Plain) -> Plain:
    name, equals, value = str(item).partition("=")
    return f"{name}={mask_value(name, value)}" if equals else item


def _headers(value: Plain) -> Plain:
    """Headers: a mapping, or a list of ``{name, value}``."""
    if isinstance(value, dict):
        return {name: _named(name, item) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    return [
        {**item, "value": _named(str(item.get("name")), item["value"])}
        if isinstance(item, dict) and "value" in item
        else item
        for item in value
    ]


def _named(name: str, value: Plain) -> Plain:
    """The value of a variable or header, which may be a number or a truth value; null has nothing to hide."""
    return None if value is None else mask_value(name, str(value))
