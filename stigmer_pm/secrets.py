"""Masking what looks secret, in the one place through which everything goes that is printed, logged or answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar, cast

T = TypeVar("T")

MASK = "******"

# Whole words of a name, so that KEY in API_KEY counts and the one in KEYBOARD or MONKEY doesn't.
_SECRET_WORDS = re.compile(
    r"(?:^|[_.-])(?:PASS(?:WD|WORD|PHRASE|CODE)?|PWD|SECRETS?|TOKENS?|KEYS?|APIKEYS?|CREDENTIALS?|CREDS?|"
    r"AUTH(?:ORIZATION)?|COOKIE|PRIVATE|SALT|SIGNATURE|DSN|WEBHOOK)(?:$|[_.-])",
    re.IGNORECASE,
)
# Words that no other word contains, so they count wherever they stand: PGPASSWORD, MYSECRET, DBTOKEN.
_SECRET_PARTS = re.compile(r"PASSW|PASSPHRASE|SECRET|TOKEN|APIKEY|CREDENTIAL", re.IGNORECASE)
# Looked for from its "://" on: looking for the beginning of a scheme takes the square of a long value without one, and
# the supervisor goes through here.
_URL_PASSWORD = re.compile(r"(?P<before>(?<=[a-z0-9+.-])://[^\s/:@]*:)[^\s/@]+(?=@)", re.IGNORECASE)
_URL_QUERY = re.compile(r"(?P<before>[?&](?P<name>[\w.-]+)=)(?P<value>[^&#\s]+)")


def looks_secret(name: str) -> bool:
    """A variable or header of this name likely holds a secret: ``DB_PASSWORD``, ``PGPASSWORD``, ``Authorization``."""
    return bool(_SECRET_WORDS.search(name) or _SECRET_PARTS.search(name))


def mask_value(name: str, value: str) -> str:
    """The value to show for a variable: masked as a whole, or only what is secret in a URL (see :func:`mask_text`)."""
    return MASK if value and looks_secret(name) else mask_text(value)


def mask_text(text: str) -> str:
    """A text to show: the passwords of URLs in it, and parts of their queries whose name looks secret, are masked."""
    return _URL_QUERY.sub(_masked_part, _URL_PASSWORD.sub(rf"\g<before>{MASK}", text))


def _masked_part(part: re.Match[str]) -> str:
    return part["before"] + (MASK if looks_secret(part["name"]) else part["value"])


def mask_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Every variable without its value, whatever its name: what is secret may be called anything."""
    return {name: MASK if value else value for name, value in variables.items()}


def mask_tree(value: T, name: str = "") -> T:
    """A copy of a JSON value that is called ``name``: whatever stands under a name that looks secret is masked."""
    if isinstance(value, dict):
        return cast(T, {key: mask_tree(item, str(key)) for key, item in value.items()})
    if isinstance(value, list):
        return cast(T, [mask_tree(item, name) for item in value])
    if isinstance(value, str):
        return cast(T, mask_value(name, value))
    return cast(T, MASK) if value is not None and looks_secret(name) else value
