"""Masking what looks secret, in the one place through which everything goes that is printed, logged or answered."""

from __future__ import annotations

import re
from collections.abc import Mapping

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


def looks_secret(name: str) -> bool:
    """A variable or header of this name likely holds a secret: ``DB_PASSWORD``, ``PGPASSWORD``, ``Authorization``."""
    return bool(_SECRET_WORDS.search(name) or _SECRET_PARTS.search(name))


def mask_value(name: str, value: str) -> str:
    """The value to show for a variable: masked as a whole, or only the password of a URL in it."""
    if value and looks_secret(name):
        return MASK
    return _URL_PASSWORD.sub(rf"\g<before>{MASK}", value)


def mask_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Every variable with the value to show for it."""
    return {name: mask_value(name, value) for name, value in variables.items()}
