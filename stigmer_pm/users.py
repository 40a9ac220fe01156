"""Users of the machine, by the names that people know them by."""

from __future__ import annotations

import pwd


def user_name(uid: int) -> str:
    """The name of a user, or ``user 1234`` for one that the machine doesn't list."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
