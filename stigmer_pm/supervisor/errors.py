"""What the supervisor refuses, with the words, the cure and the exit status for whoever asked."""

from __future__ import annotations

from stigmer_pm.supervisor.database import StoreError


class Refused(Exception):
    """A request that can't be carried out. ``code`` is a word for programs, ``status`` the HTTP status."""

    def __init__(
        self, message: str, *, cure: str | None = None, code: str = "refused", exit_status: int = 2, status: int = 400
    ) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.code = code
        self.exit_status = exit_status
        self.status = status

    def document(self) -> dict[str, object]:
        """The error as an answer of the API."""
        # A name that is no UTF-8 can't be answered as it came.
        message = self.message.encode(errors="backslashreplace").decode()
        return {"error": {"message": message, "cure": self.cure, "code": self.code, "exit": self.exit_status}}


def unreadable(error: StoreError) -> Refused:
    """The record can't be read or written now."""
    return Refused(str(error), cure=error.cure, code="store", exit_status=1, status=503)


def refuse_full_disk(folder: str) -> Refused:
    """What is answered when no supervisor can be begun for it."""
    return Refused(
        f"cannot write into the state folder '{folder}': the disk is full",
        cure="free some space there, and try again; what runs goes on",
        exit_status=1,
        code="disk-full",
    )


def internal(log: str) -> Refused:
    """A bug; ``log`` has its traceback."""
    return Refused(
        "internal error in the supervisor",
        cure=f"its traceback is in {log}",
        code="internal",
        exit_status=1,
        status=500,
    )


def ending(*, stops_all: bool) -> Refused:
    """Nothing more is begun: everything is being stopped, or what runs is left to the next supervisor."""
    return Refused(
        "the supervisor is stopping everything ('down')"
        if stops_all
        else "the supervisor is ending, and leaves what runs",
        cure="try again when it has ended",
        code="ending",
        exit_status=1,
        status=409,
    )
