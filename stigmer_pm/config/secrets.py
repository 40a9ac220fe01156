"""Masking the values in a document that look secret. What looks so is decided by :mod:`stigmer_pm.secrets`."""

from __future__ import annotations

from typing import cast

from stigmer_pm.config.nodes import Plain
from stigmer_pm.secrets import MASK, looks_secret, mask_value


def mask_secrets(document: dict[str, Plain]) -> dict[str, Plain]:
    """A copy in which the values of variables whose name looks secret, and the passwords of URLs, are masked."""
    return cast("dict[str, Plain]", _masked(document, "", ()))


def _masked(value: Plain, name: str, path: tuple[str, ...]) -> Plain:
    if isinstance(value, dict):
        return {key: _masked(item, key, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked_item(item, path) for item in value]
    is_variable = "environment" in path[:-1] or "headers" in path[:-1]
    if not isinstance(value, str):
        return MASK if is_variable and value is not None and looks_secret(name) else value
    return mask_value(name, value) if is_variable else mask_value("", value)


def _masked_item(item: Plain, path: tuple[str, ...]) -> Plain:
    if not isinstance(item, str):
        return _masked(item, "", path)
    variable, equals, value = item.partition("=")
    if equals and path[-1:] == ("environment",):
        return f"{variable}={mask_value(variable, value)}"
    return mask_value("", item)
