"""A systemd unit as text, with every word spelled as systemd reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit is made from.

    ``program`` are the words that run stigmer-pm; ``options`` those of its ``up``. ``user`` is for one of the system;
    ``None``: it is one of a user. ``lacking`` are variables that the file takes from the environment of whoever asks.
    ``suffix`` tells its name from that of another project's.
    """

    project: str
    file: str
    folder: str
    program: Sequence[str]
    options: Sequence[str]
    environment: Mapping[str, str]
    user: str | None
    owner: str
    has_containers: bool
    lacking: Sequence[str]
    suffix: str = ""

    @property
    def name(self) -> str:
        """The name of its file."""
        word = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in self.project)
        return f"stigmer-pm-{word}{self.suffix}.service"

    @property
    def path(self) -> str:
        """Where systemd looks for it."""
        return f"~/.config/systemd/user/{self.name}" if self.user is None else f"/etc/systemd/system/{self.name}"


def unit_text(unit: Unit) -> str:
    """The unit, with how to use it in its first lines."""
    lines = [*_head(unit), "", "[Unit]", f"Description=stigmer-pm: {_line(unit.project)}"]
    if unit.user is not None:
        lines += ["Wants=network-online.target", "After=network-online.target"]
        lines += ["After=docker.service"] * unit.has_containers
    lines += ["# A supervisor that is killed comes back, however often.", "StartLimitIntervalSec=0"]
    lines += ["", *_service(unit), ""]
    lines += ["[Install]", f"WantedBy={'default.target' if unit.user is None else 'multi-user.target'}"]
    return "\n".join(lines)


def runs_file(text: str, file: str) -> bool:
    """A unit that was made here is of the project of this file."""
    words = f" -f {_word(file)} up --service"
    return any(line.startswith("ExecStart=") and words in line for line in text.splitlines())


def _head(unit: Unit) -> list[str]:
    systemctl = "systemctl --user" if unit.user is None else "systemctl"
    lines = [
        f"# Save this as {unit.path}, then: {systemctl} daemon-reload && {systemctl} enable --now {unit.name}",
        f"# An edited file: {systemctl} reload {unit.name}. Another version of stigmer-pm: stigmer-pm upgrade.",
    ]
    if unit.suffix:
        lines.append("# Another project of this name has a unit without the letters at the end, which is not touched.")
    if unit.user is None:
        lines.append(f"# To have it run without a login, too: loginctl enable-linger {unit.owner}")
    if unit.lacking:
        names = ", ".join(unit.lacking)
        lines.append(
            f"# Put into .env what the file takes from your environment, for a service doesn't have it: {names}."
        )
    return lines


def _service(unit: Unit) -> list[str]:
    stigmer_pm = [*unit.program, "-f", unit.file]
    lines = ["[Service]", "Type=notify", "NotifyAccess=main"]
    if unit.user is not None:
        lines.append(f"User={_line(unit.user)}")
    lines.append(f"WorkingDirectory={_line(unit.folder)}")
    lines += [f"Environment={_quoted(f'{name}={value}')}" for name, value in unit.environment.items()]
    return [
        *lines,
        f"ExecStart={_command([*stigmer_pm, 'up', '--service', *unit.options])}",
        f"ExecReload={_command([*stigmer_pm, 'up', '--timeout', '60s', *unit.options])}",
        f"ExecStop={_command([*stigmer_pm, 'down'])}",
        "# systemd signals the supervisor alone: when it dies, what it runs goes on, and the next one finds it again.",
        "# A component that ran out of memory must not end the others.",
        "KillMode=process",
        "OOMPolicy=continue",
        "# Not after 'down' (0), nor when the file can't be applied and nothing is on record (2).",
        "Restart=on-failure",
        "RestartSec=1",
        "RestartPreventExitStatus=2",
        "WatchdogSec=60",
    ]


def _command(words: Sequence[str]) -> str:
    # With ":" nothing is taken for a variable, also not in the name of the program, where "$$" would stay as it is.
    prefix = ":" if any("$" in word for word in words) else ""
    return prefix + " ".join(_word(word) for word in words)


def _word(text: str) -> str:
    is_plain = text.isascii() and text and all(c.isalnum() or c in "/._-+=:@,%" for c in text)
    return text.replace("%", "%%") if is_plain else _quoted(text)


def _quoted(text: str) -> str:
    escaped = "".join(_ESCAPES.get(c, c) for c in text)
    return f'"{escaped.replace("%", "%%")}"'


def _line(text: str) -> str:
    """A value that takes the rest of its line, and knows no quotes."""
    return text.replace("%", "%%")
