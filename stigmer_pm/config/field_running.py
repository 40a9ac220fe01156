"""The types of what is particular to running a program: restart policies, exit statuses, signals, the umask."""

from __future__ import annotations

import re
from typing import NamedTuple

from stigmer_pm.config.fields import (
    INTERPOLATED,
    FieldError,
    Findings,
    JsonSchema,
    Reader,
    found_words,
    scalar_of,
    typed,
    wrong,
)
from stigmer_pm.config.nodes import Scalar
from stigmer_pm.config.suggestions import did_you_mean
from stigmer_pm.spec.component import RestartPolicy, SuccessExits
from stigmer_pm.spec.signals import signal_number

_POLICIES = "always, on-failure, on-failure:N, unless-stopped or never"
_ON_FAILURE = re.compile(r"on-failure:([0-9]{1,9})", re.ASCII)
_UMASK = re.compile(r"(?:0o)?([0-7]{1,4})", re.ASCII)


class Restart(NamedTuple):
    """A restart policy, and the N of ``on-failure:N``."""

    policy: RestartPolicy
    max_restarts: int | None = None


class RestartRule(Reader):
    """``always``, ``on-failure[:N]``, ``unless-stopped``, ``never`` or ``no``."""

    __slots__ = ()

    def read(self, value: object) -> Restart:
        """The policy."""
        scalar = scalar_of(value, _POLICIES)
        word = scalar.text
        found = _ON_FAILURE.fullmatch(word)
        if found:
            return Restart(RestartPolicy.ON_FAILURE, int(found[1]))
        try:
            return Restart(RestartPolicy("never" if word == "no" else word))
        except ValueError:
            words = [*RestartPolicy, "no"]
            hint = "; write never" if scalar.value is False else did_you_mean(word, [str(word) for word in words])
            raise wrong(f"expected {_POLICIES}, found {found_words(scalar)}{hint}") from None

    def schema(self) -> JsonSchema:
        """The words, and the pattern with the number."""
        words: JsonSchema = {"enum": [*(policy.value for policy in RestartPolicy), "no"]}
        return {"anyOf": [words, {"type": "string", "pattern": r"^on-failure:[0-9]+$|\$"}]}


class SignalName(Reader):
    """The name of a signal, with or without ``SIG``, or its number."""

    __slots__ = ()

    def read(self, value: object) -> int:
        """The number."""
        scalar = scalar_of(value, "the name of a signal such as SIGTERM")
        try:
            return signal_number(scalar.text)
        except ValueError:
            words = f"expected the name of a signal such as SIGTERM, found {found_words(scalar)}"
            raise wrong(words + signal_hint(scalar.text)) from None

    def schema(self) -> JsonSchema:
        """A string, or a number."""
        return {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1}]}


def signal_hint(word: str) -> str:
    """The nearest signal there is."""
    from signal import Signals

    return did_you_mean(word.upper(), [form for s in Signals for form in (s.name, s.name.removeprefix("SIG"))])


class ExitStatuses(Reader):
    """A list of exit statuses and signal names, or one."""

    __slots__ = ()

    def read(self, value: object) -> SuccessExits:
        """The statuses, without repetitions."""
        items = value if isinstance(value, (list, tuple)) and not isinstance(value, Scalar) else [value]
        codes: list[int] = []
        signals: list[int] = []
        findings = Findings()
        for index, item in enumerate(items):
            try:
                scalar = scalar_of(item, "an exit status from 0 to 255, or the name of a signal")
                found = typed(scalar)
                if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= 255:
                    codes.append(found)
                else:
                    signals.append(self._signal(scalar))
            except FieldError as error:
                findings.add(error, index)
        findings.raise_any()
        return SuccessExits(tuple(dict.fromkeys(codes)), tuple(dict.fromkeys(signals)))

    def _signal(self, scalar: Scalar) -> int:
        try:
            if scalar.text.strip().isdecimal() or not isinstance(typed(scalar), str):
                raise ValueError("a number is an exit status")
            return signal_number(scalar.text)
        except ValueError:
            words = f"expected an exit status from 0 to 255, or the name of a signal, found {found_words(scalar)}"
            raise wrong(words + (signal_hint(scalar.text) if isinstance(scalar.value, str) else "")) from None

    def schema(self) -> JsonSchema:
        """A list, or one."""
        one: JsonSchema = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 255}, {"type": "string"}]}
        return {"anyOf": [{"type": "array", "items": one}, one]}


class Umask(Reader):
    """Octal digits, as in a shell: ``022``, ``"0077"`` or ``0o27``."""

    __slots__ = ()

    def read(self, value: object) -> int:
        """The mask. Its text counts, for YAML reads ``022`` as 22."""
        scalar = scalar_of(value, "a umask of octal digits such as 022")
        found = _UMASK.fullmatch(scalar.text.strip())
        if not found or int(found[1], 8) > 0o777:
            raise wrong(f"expected a umask of octal digits from 000 to 777, found {found_words(scalar)}")
        return int(found[1], 8)

    def schema(self) -> JsonSchema:
        """A string of octal digits, or a number with such digits."""
        return {"anyOf": [{"type": "string", "pattern": r"^(0o)?[0-7]{1,4}$"}, {"type": "integer"}, INTERPOLATED]}
