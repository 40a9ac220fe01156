"""``stigmer-pm version``."""

from __future__ import annotations

import json
import platform

import click

from stigmer_pm.cli.options import example, json_option
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.version import __version__


@click.command("version", short_help="Print the version of this program.", epilog=example("version --json"))
@json_option
@pass_session
def command(session: Session, as_json: bool) -> int:
    """Print the version of this program, and what it runs on.

    The version of a running supervisor is in "ps --json".
    """
    python, system = (platform.python_version(), f"{platform.system()} {platform.release()}")
    if as_json:
        session.terminal.print(json.dumps({"version": __version__, "python": python, "system": system}, indent=2))
    else:
        session.terminal.print(f"stigmer-pm {__version__} (Python {python}, {system})")
    return 0
