"""Where output goes, whether a person looks at it, and so how wide and how colourful it may be. Decided only here."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from click import style

#: The width that a terminal has when it doesn't tell.
_USUAL_WIDTH = 80

# Control characters: C0 but for tab and newline, DEL, C1. Colours are the one sequence that is let through, for it is
# how this program paints.
_CONTROLS = re.compile(r"(\x1b\[[0-9;]*m)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: Moves the cursor to the first place, and clears what follows it.
_HOME_AND_CLEAR = "\x1b[H\x1b[J"


def plain(text: str) -> str:
    """Text of others, such as a description or what a probe printed, that can do nothing to a terminal."""
    return text if text.isprintable() else _CONTROLS.sub(lambda found: _escaped(found[0]), text)


def _painted(text: str) -> str:
    """``text`` with nothing in it that acts on a terminal, but for colours."""
    return text if text.isprintable() else _CONTROLS.sub(lambda found: found[1] or _escaped(found[0]), text)


def _escaped(text: str) -> str:
    # As JSON has it, so that a document stays one.
    return "".join(
        f"\\u{ord(character):04x}" if ord(character) < 0xA0 and not character.isprintable() else character
        for character in text
    )


class OutputLost(Exception):
    """What was printed could not be written: a full disk, for one. (A reader that has gone is BrokenPipeError.)"""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write the output: {(error.strerror or str(error)).lower()}")


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputLost(error) from error


@dataclass(frozen=True, slots=True)
class Terminal:
    """The two streams of the process. Results go to ``out``; progress, warnings and errors to ``err``."""

    out: TextIO
    err: TextIO
    out_is_terminal: bool = False
    err_is_terminal: bool = False
    has_color: bool = False
    is_dumb: bool = False

    @classmethod
    def of_this_process(cls, environ: Mapping[str, str]) -> Terminal:
        """What this process was given; ``NO_COLOR`` and ``TERM=dumb`` are obeyed."""
        out, err = _opened(sys.stdout), _opened(sys.stderr)
        for stream in (out, err):
            if isinstance(stream, io.TextIOWrapper):
                # A name in another encoding than the terminal's must not end a command.
                stream.reconfigure(errors="backslashreplace")
        # https://no-color.org: any value that is not empty.
        is_dumb = environ.get("TERM") == "dumb"
        has_color = not environ.get("NO_COLOR") and not is_dumb
        return cls(out, err, out.isatty(), err.isatty(), has_color, is_dumb)

    @property
    def draws_live(self) -> bool:
        """Progress may be drawn over what was drawn before: a person looks, at a screen with a cursor to move."""
        return self.err_is_terminal and not self.is_dumb

    def width(self) -> int | None:
        """Columns to keep to; ``None`` when the output goes to a program, which gets everything."""
        return shutil.get_terminal_size((_USUAL_WIDTH, 24)).columns if self.out_is_terminal else None

    # --- writing ------------------------------------------------------------------------------------------------

    def print(self, text: str = "") -> None:
        """A line of the result."""
        with _written():
            self.out.write(f"{_painted(text)}\n")

    def clear(self) -> None:
        """What is printed next stands alone on the screen."""
        with _written():
            self.out.write(_HOME_AND_CLEAR)

    def write_bytes(self, data: bytes) -> None:
        """Bytes of a log, as they are."""
        binary: BinaryIO = self.out.buffer
        with _written():
            self.out.flush()
            binary.write(data)

    def say(self, text: str) -> None:
        """A line of progress, or a remark."""
        with _written():
            self.out.flush()  # so that the two stand in the order in which they were said
            self.err.write(f"{_painted(text)}\n")
            self.err.flush()

    def warn(self, text: str) -> None:
        """Something to know that stops nothing."""
        self.say(f"{self.paint_err('warning:', 'yellow')} {plain(text)}")

    def complain(self, text: str) -> None:
        """An error."""
        self.say(f"{self.paint_err('error:', 'red')} {plain(text)}")

    def hint(self, text: str) -> None:
        """What helps against the error above."""
        self.say(f"  {plain(text)}")

    def flush(self) -> None:
        """Hand everything on to who reads it."""
        with _written():
            self.out.flush()
            self.err.flush()

    def give_up(self) -> None:
        """What can't be written never will be: let the interpreter's last flush go nowhere."""
        null = os.open(os.devnull, os.O_WRONLY)
        for stream in (self.out, self.err):
            with suppress(OSError, ValueError):
                stream.flush()
                continue
            with suppress(OSError, ValueError):
                os.dup2(null, stream.fileno())
        os.close(null)

    # --- colour -------------------------------------------------------------------------------------------------

    def paint(self, text: str, color: str | None, *, bold: bool = False, dim: bool = False) -> str:
        """``text`` for ``out``, coloured when a person looks at it."""
        return _paint(text, color, bold, dim) if self.out_is_terminal and self.has_color else text

    def paint_err(self, text: str, color: str | None, *, bold: bool = False, dim: bool = False) -> str:
        """``text`` for ``err``, coloured when a person looks at it."""
        return _paint(text, color, bold, dim) if self.err_is_terminal and self.has_color else text


def _opened(stream: TextIO | None) -> TextIO:
    """The stream, or one to nowhere when whoever called us has closed it (``>&-``); Python has ``None`` then."""
    return open(os.devnull, "w", encoding="utf-8") if stream is None else stream


def _paint(text: str, color: str | None, bold: bool, dim: bool) -> str:
    return style(text, fg=color, bold=bold or None, dim=dim or None)
