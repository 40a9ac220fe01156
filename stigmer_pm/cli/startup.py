"""``stigmer-pm startup``."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress

import click

from stigmer_pm.cli.applying import Wanted, read_wanted
from stigmer_pm.cli.errors import BAD_USAGE, CliError
from stigmer_pm.cli.options import chosen_profiles, example, file_option, names_argument, profile_option
from stigmer_pm.cli.program import PROGRAM
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.cli.systemd_unit import Unit, unit_text
from stigmer_pm.cli.unit_names import named_apart

#: Where an engine is, as its own command line is told.
_OF_THE_ENGINE = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
#: What systemd sets for a service with a user, and what a shell sets for itself.
_SET_ANYWAY = frozenset(("HOME", "USER", "LOGNAME", "SHELL", "LANG", "PWD", "OLDPWD", "SHLVL", "_"))


@click.command(
    "startup",
    short_help="Print a systemd unit that starts the project with the machine.",
    epilog=example("startup --print", "startup --print --system --profile production"),
)
@file_option()
@click.option("--print", "is_printed", is_flag=True, help="Print the unit; without it, only say what to do.")
@click.option("--user", "kind", flag_value="user", help="A unit of this user's own systemd. [default unless root]")
@click.option("--system", "kind", flag_value="system", help="A unit of the system. [default for root]")
@profile_option
@names_argument()
@pass_session
def command(
    session: Session, names: tuple[str, ...], profiles: tuple[str, ...], is_printed: bool, kind: str | None
) -> int:
    """Print a systemd unit that starts the project with the machine, and brings a killed supervisor back.

    It is printed, and nothing is installed: its first lines say where to save it, and what to run then. Under sudo, a
    unit of the system runs as the user who called sudo.
    """
    is_system = kind == "system" or (kind is None and os.geteuid() == 0)
    chosen = chosen_profiles(profiles, session.environ)
    wanted = read_wanted(session, names, (), chosen)
    unit = _unit(session, wanted, is_system=is_system)
    if is_printed:
        session.terminal.print(unit_text(unit))
        return 0
    _say_what_to_do(session, unit)
    return BAD_USAGE


def _unit(session: Session, wanted: Wanted, *, is_system: bool) -> Unit:
    file = session.file()
    owner = _owner(session.environ)
    program = _program()
    kept = {"PATH": session.environ.get("PATH", os.defpath)}
    has_containers = any(component.container is not None for component in wanted.spec.components)
    if has_containers:
        kept |= {name: session.environ[name] for name in _OF_THE_ENGINE if name in session.environ}
    if program[0] == sys.executable and "PYTHONPATH" in session.environ:
        kept["PYTHONPATH"] = session.environ["PYTHONPATH"]
    options = [word for profile in wanted.profiles for word in ("--profile", profile)] + list(wanted.names)
    unit = Unit(
        wanted.spec.name,
        file,
        os.path.dirname(file),
        program,
        options,
        kept,
        owner if is_system else None,
        owner,
        has_containers,
        _lacking(session, wanted, kept),
    )
    for path in (unit.folder, unit.file, *unit.program):
        _refuse_what_cannot_be_spelt(path)
    home = session.environ.get("HOME") or os.path.expanduser("~")
    return named_apart(unit, os.path.dirname(unit.path.replace("~", home, 1)))


def _refuse_what_cannot_be_spelt(path: str) -> None:
    """Some values take the rest of their line as it is, in UTF-8."""
    has_line_breaks = any(c in path for c in "\n\r") or path.endswith("\\")
    if path != path.strip() or has_line_breaks or not path.isprintable():
        raise CliError(
            f"systemd can't be told of the path {path!r}",
            "move it to one in UTF-8, without line breaks, and with no space or backslash at its end",
        )


def _owner(environ: Mapping[str, str]) -> str:
    caller = environ.get("SUDO_USER")
    if os.geteuid() == 0 and caller:
        return caller
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _program() -> tuple[str, ...]:
    """The words that run this very program, whatever PATH a service has."""
    script = shutil.which(sys.argv[0])
    if script is not None and os.path.basename(script) == PROGRAM:
        return (os.path.abspath(script),)
    # -P, so that no file of the project is taken for a module.
    return (sys.executable, "-P", "-m", "stigmer_pm")


def _lacking(session: Session, wanted: Wanted, kept: Mapping[str, str]) -> list[str]:
    """The variables of this environment without which the file would say something else."""
    from stigmer_pm.config import load
    from stigmer_pm.config.errors import ConfigError

    text = ""
    for file in wanted.spec.inputs:
        with suppress(OSError), open(file.path, encoding="utf-8", errors="replace") as opened:
            text += opened.read()
    mentioned = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text))
    found = []
    for name in sorted(mentioned & session.environ.keys() - kept.keys() - _SET_ANYWAY):
        others = {key: value for key, value in session.environ.items() if key != name}
        try:
            spec = load(session.file(), others, profiles=wanted.profiles, names=wanted.names)
        except ConfigError:
            found.append(name)
        else:
            if spec.components != wanted.spec.components:
                found.append(name)
    return found


def _say_what_to_do(session: Session, unit: Unit) -> None:
    """For those who expect that it is installed."""
    words = [PROGRAM, "-f", unit.file, "startup", "--print", "--user" if unit.user is None else "--system"]
    printed = shlex.join(words)
    say = session.terminal.hint
    session.terminal.complain("nothing is installed: stigmer-pm writes into no folder of the system; these lines do it")
    if unit.suffix:
        say(f"another project of the name '{unit.project}' has a unit already, so that of this one is {unit.name}")
    if unit.user is None:
        say("mkdir -p ~/.config/systemd/user")
        say(f"{printed} > {unit.path}")
        say(f"systemctl --user daemon-reload && systemctl --user enable --now {unit.name}")
        say(f"loginctl enable-linger {unit.owner}")
    else:
        sudo = "" if os.geteuid() == 0 else "sudo "
        say(f"{printed} | {sudo}tee {unit.path} >/dev/null")
        say(f"{sudo}systemctl daemon-reload && {sudo}systemctl enable --now {unit.name}")
