"""stigmer-pm: a declarative process manager."""

from stigmer_pm.version import __version__

__all__ = ["__version__"]
