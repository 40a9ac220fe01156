"""``stigmer-pm init``."""

from __future__ import annotations

import os

import click

from stigmer_pm.cli.errors import CliError
from stigmer_pm.cli.options import example, file_option
from stigmer_pm.cli.session import Session, pass_session, working_dir

_NAMES = ("stigmer.yaml", "stigmer.yml")


@click.command("init", short_help="Write a commented stigmer.yaml for this folder.", epilog=example("init"))
@file_option(meaning="The file to write. [default: stigmer.yaml in this folder]")
@pass_session
def command(session: Session) -> int:
    """Write a commented stigmer.yaml for this folder, to be edited. An existing one is never overwritten."""
    path = os.path.join(working_dir(), session.file_option or _NAMES[0])
    _refuse_existing(path)
    from stigmer_pm.config import init_template

    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(init_template())
    except FileExistsError:
        _refuse_existing(path)
    except OSError as error:
        raise CliError(f"cannot write '{path}': {(error.strerror or str(error)).lower()}") from error
    session.terminal.print(f"wrote {path}; edit it, then run 'stigmer-pm up'")
    return 0


def _refuse_existing(path: str) -> None:
    folder, name = os.path.split(path)
    for other in dict.fromkeys((name, *(_NAMES if name in _NAMES else ()))):
        if os.path.lexists(os.path.join(folder, other)):
            raise CliError(
                f"cannot write '{path}': '{os.path.join(folder, other)}' exists, and is left as it is",
                "see what it declares with 'stigmer-pm validate'",
            )
