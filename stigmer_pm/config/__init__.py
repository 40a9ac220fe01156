"""stigmer.yaml to one validated ``ProjectSpec``. Pure but for reading files; everything is imported when it is used,
so that a command that only looks for the file pays for no YAML and no models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stigmer_pm.config.errors import ConfigError, FileUnreadable, NoFile, Problem

if TYPE_CHECKING:
    from stigmer_pm.config.loading import load
    from stigmer_pm.config.resolved import resolved_document
    from stigmer_pm.config.secrets import mask_secrets
    from stigmer_pm.config.template import init_template
    from stigmer_pm.config.traps import remarks

__all__ = [
    "ConfigError",
    "FileUnreadable",
    "NoFile",
    "Problem",
    "init_template",
    "load",
    "mask_secrets",
    "remarks",
    "resolved_document",
]

_MODULES = {
    "load": "loading",
    "remarks": "traps",
    "resolved_document": "resolved",
    "mask_secrets": "secrets",
    "init_template": "template",
}


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{module}"), name)
