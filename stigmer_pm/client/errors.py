"""What can go wrong between a client and a supervisor, with words, a cure and an exit status."""

from __future__ import annotations


class ClientError(Exception):
    """``cure`` is a command or an action that helps, ``exit_status`` what the command line ends with."""

    def __init__(self, message: str, cure: str | None = None, exit_status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.exit_status = exit_status


class NoSupervisor(ClientError):
    """No supervisor answers for this project.

    ``is_absent``: none runs, so that starting one is the cure; otherwise one runs that can't be reached, or that is
    somebody else's. ``has_died``: it is absent, and what it ran goes on. ``is_lost``: so does it, and nothing is on
    record of it. ``may_return``: it runs and is expected to answer again shortly. ``is_denied``: this user may not ask
    it. ``is_silent``: it runs, and says nothing.
    """

    def __init__(
        self,
        message: str,
        cure: str | None = None,
        *,
        is_absent: bool = False,
        has_died: bool = False,
        is_lost: bool = False,
        may_return: bool = False,
        is_denied: bool = False,
        is_silent: bool = False,
    ) -> None:
        super().__init__(message, cure, exit_status=3)
        self.is_absent = is_absent or has_died or is_lost
        self.is_lost = is_lost
        self.has_died = has_died
        self.may_return = may_return
        self.is_denied = is_denied
        self.is_silent = is_silent


class Refused(ClientError):
    """The supervisor understood the request and does not carry it out; ``code`` is its word for why."""

    def __init__(self, message: str, cure: str | None = None, exit_status: int = 1, *, code: str = "") -> None:
        super().__init__(message, cure, exit_status)
        self.code = code

    @property
    def is_ending(self) -> bool:
        """For it is stopping everything, or ends by itself; the next one can be asked when it has."""
        return self.code == "ending"
