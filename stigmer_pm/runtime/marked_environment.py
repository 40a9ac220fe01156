"""The environment of the processes of a run, and the marks in it by which they are found again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from stigmer_pm.marks import MARK, digest
from stigmer_pm.runtime.spawn import home_variables
from stigmer_pm.spec import ProcessExecution
from stigmer_pm.spec.codec import encode

#: The environment variable that tells by which spec a process was started, for a supervisor that has lost its records.
FINGERPRINT = "STIGMER_PM_SPEC"
#: What a service manager says to the supervisor alone: a component that had it could speak to it in our name.
_OF_THE_SERVICE_MANAGER = frozenset(
    ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "MAINPID")
)
#: What a mark says of a run: the name of a component, and a number that fits wherever it is written down.
_RUN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,62})/([0-9]{1,18})")
_KEPT_BACK = _OF_THE_SERVICE_MANAGER | {MARK, FINGERPRINT}


class MarkedEnvironment:
    """The environments of the runs of one project, ``key``; ``base`` lies beneath what the file sets."""

    def __init__(self, key: str, base: Mapping[str, str]) -> None:
        self.key = key
        self._base = {name: value for name, value in base.items() if name not in _KEPT_BACK}

    def mark_of(self, instance: str, run: int) -> str:
        """The value of the mark for one run."""
        return f"{self.key}/{instance}/{run}"

    def run_of(self, mark: str | None) -> tuple[str, int] | None:
        """The instance and the number of the run that a mark is of; ``None``: it is of no run of this project.

        Any process of this user may carry any mark, so one that we can't have given is of no run.
        """
        key, _, rest = (mark or "").partition("/")
        found = _RUN.fullmatch(rest)
        return None if found is None or key != self.key else (found[1], int(found[2]))

    def of(self, execution: ProcessExecution, instance: str, run: int) -> dict[str, str]:
        """The complete environment of a program of a run."""
        home = home_variables(execution.user) if execution.user is not None else {}
        marks = {MARK: self.mark_of(instance, run), FINGERPRINT: fingerprint(execution)}
        return {**self._base, **home, **execution.environment, **marks}


def fingerprint(execution: ProcessExecution) -> str:
    """A short word that is another one when anything that is executed is."""
    text = json.dumps(encode(execution), sort_keys=True)
    return digest(text.encode("utf-8", "surrogateescape"))
