"""The options and arguments that several commands have, each declared once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from stigmer_pm.cli.errors import EXPLAINED
from stigmer_pm.client.requests import Selection

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


_WHICH_FILE = "The project's file. [default: $STIGMER_FILE, else the nearest stigmer.yaml here or above]"


def file_option(*spellings: str, meaning: str = _WHICH_FILE) -> Callable[[F], F]:
    """``--file``, before or after the command's name. ``logs`` and ``events`` take ``-f`` for ``--follow``."""

    def remember(context: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.obj.file_option = value

    return click.option(
        *(spellings or ("-f", "--file")),
        "file_path",
        metavar="PATH",
        type=click.Path(),
        expose_value=False,
        callback=remember,
        help=meaning,
    )


def example(*lines: str) -> str:
    """The end of a command's help: lines that work as pasted."""
    return "\b\nExample:\n" + "\n".join(f"  stigmer-pm {line}" for line in lines)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class Duration(click.ParamType[float]):
    """``500ms``, ``10s``, ``1m30s``, or a number of seconds; the value is in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        from stigmer_pm.config.durations import parse_duration

        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


#: As a number of 64 bits has. Python takes its time for thousands of digits, or refuses them.
_MOST_DIGITS = 18


class Count(click.ParamType[int]):
    """A whole number from 0 on; click's own would put its range behind the help as a formula."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        if isinstance(value, int):
            return value
        text = str(value)
        if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
            self.fail(f"expected a whole number from 0 on, found '{text:.40}'", param, ctx)
        return int(text)


class PointInTime(click.ParamType[str]):
    """A moment: a duration before now, or a time in ISO 8601 (local when it names no zone). The value is RFC 3339."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The moment in UTC."""
        from datetime import UTC, datetime, timedelta

        from stigmer_pm.config.durations import parse_duration

        try:
            moment = datetime.now(UTC) - timedelta(seconds=parse_duration(value))
        except (ValueError, OverflowError):
            try:
                moment = datetime.fromisoformat(value).astimezone(UTC)
            except (ValueError, OverflowError):
                self.fail(f"'{value}' is neither a duration (10m) nor a time (2026-01-22T10:00:00)", param, ctx)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Label(click.ParamType[tuple[str, str]]):
    """``KEY=VALUE``."""

    name = "label"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The key and the value."""
        if isinstance(value, tuple):
            return value
        key, equals, wanted = str(value).partition("=")
        if not equals or not key:
            self.fail(f"a label is selected as KEY=VALUE, found '{value}'", param, ctx)
        return key, wanted


def _complete_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the instances, when a supervisor tells them; a shell must never see an error of ours."""
    from click.shell_completion import CompletionItem

    session = context.find_root().obj
    session.is_completing = True
    try:
        found = session.supervisor().ps()["components"]
    except EXPLAINED:
        return []
    return [CompletionItem(c["name"], help=c["phase"]) for c in found if c["name"].startswith(incomplete)]


def names_argument(*, required: bool = False) -> Callable[[F], F]:
    """``[NAME…]``: names of components or instances, or glob patterns."""
    return click.argument(
        "names",
        metavar="NAME..." if required else "[NAME]...",
        nargs=-1,
        required=required,
        shell_complete=_complete_names,
    )


def name_argument(*, required: bool = True) -> Callable[[F], F]:
    """``NAME``: one component or instance."""
    metavar = "NAME" if required else "[NAME]"
    return click.argument("name", metavar=metavar, required=required, shell_complete=_complete_names)


label_option = click.option(
    "--label",
    "labels",
    type=Label(),
    metavar="KEY=VALUE",
    multiple=True,
    help="Only those with this label; repeatable.",
)
all_option = click.option("--all", "everything", is_flag=True, help="All components.")
no_wait_option = click.option("--no-wait", is_flag=True, help="Begin it, and don't wait for the result.")
timeout_option = click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="How long to wait, such as 30s; then exit with 1. [default: no limit]",
)
settle_option = click.option(
    "--settle",
    type=Duration(),
    metavar="DURATION",
    default=1.0,
    # click would put words for a default into brackets of their own.
    help="How long a component must stay up before it counts as ready, if it has no probes or its port was taken. "
    "[default: 1s]",
)


def _profiles(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for text in value for name in text.split(",") if name.strip()))


profile_option = click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="P",
    callback=_profiles,
    help="Choose this profile as well; repeatable. [default: $STIGMER_PROFILES, separated by commas]",
)


def chosen_profiles(profiles: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Those of the command line, else those of ``STIGMER_PROFILES``."""
    found = profiles or tuple(environ.get("STIGMER_PROFILES", "").split(","))
    return tuple(name.strip() for name in found if name.strip())


def selection_of(names: Sequence[str], labels: Sequence[tuple[str, str]], *, everything: bool = False) -> Selection:
    """What was selected on the command line."""
    chosen: Mapping[str, str] = dict(labels)
    return Selection(tuple(names), chosen, all=everything)
