"""``python -m stigmer_pm.selfcheck FORMAT DATABASE``: whether this installation can take over from a supervisor.

Run by the supervisor that is to be replaced, as itself and before anything is risked. Everything that a supervisor
needs is imported, and what is on record is read. One line of JSON says the version, or why not.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

#: What brings all else along, that which a supervisor imports late included.
_NEEDED = (
    "stigmer_pm.successor",
    "stigmer_pm.cli.foreground",
    "stigmer_pm.supervisor.run",
    "stigmer_pm.supervisor.api",
    "stigmer_pm.supervisor.visitors",
    "stigmer_pm.supervisor.openapi",
    "stigmer_pm.probes.exec",
    "stigmer_pm.probes.http",
    "stigmer_pm.probes.tcp",
    "stigmer_pm.probes.grpc",
    "stigmer_pm.probes.log",
    "stigmer_pm.probes.plugins",
    "docker",
)


def main() -> None:
    """Print the line."""
    try:
        found = {"version": _check(int(sys.argv[1]), sys.argv[2])}
    except Exception as error:  # noqa: BLE001 (whatever is wrong with this installation is what is asked for)
        words = str(error).splitlines() or [""]
        found = {"error": f"{type(error).__name__}: {words[0]}"}
    print(json.dumps(found))  # noqa: T201 (for the program that asks)


def _check(handover_format: int, database: str) -> str:
    for name in _NEEDED:
        import_module(name)
    from stigmer_pm.supervisor import handover  # noqa: PLC0415 (a module that is missing is one of the answers)
    from stigmer_pm.supervisor.contents import check_readable  # noqa: PLC0415
    from stigmer_pm.version import __version__  # noqa: PLC0415

    if handover_format != handover.FORMAT:
        raise ValueError(f"it is handed format {handover_format} and knows {handover.FORMAT}")
    check_readable(database)
    return __version__


if __name__ == "__main__":
    main()
