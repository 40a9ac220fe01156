"""What an HTTP probe asks for: the target of each request, and its header lines. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, urljoin, urlsplit

from stigmer_pm.spec import HttpCheck
from stigmer_pm.version import __version__

Header = tuple[str, str]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNPARSABLE = re.compile(r"[\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})")
_NO_URL = "the redirect's Location is not a URL"
# What may stand in a path and in a query as it is; the rest, a space or an umlaut say, is percent-encoded.
_PATH_SAFE = "%/:@!$&'()*+,;=~[]"
_QUERY_SAFE = _PATH_SAFE + '?"<>\\^`{|}'
# The request line and the connection decide these. Go drops them, too.
_NOT_SENT = frozenset({"host", "content-length", "transfer-encoding", "trailer"})


class BadLocation(Exception):
    """A redirect leads to something that is no http or https URL; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request goes.

    ``authority`` is host and port as they stand in the URL and in the Host header; ``path`` and ``query`` are
    percent-encoded.
    """

    scheme: str
    host: str
    port: int
    authority: str
    path: str
    query: str

    @property
    def request(self) -> str:
        """What stands in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def shown(self) -> str:
        """The URL for people, without the query, which may hold a token."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def redirected(self, location: str, *, home: str) -> Target | None:
        """Where ``location``, found in the answer to this request, leads; ``None``: to another host than ``home``.

        Raises:
            BadLocation: to nothing that can be asked.
        """
        try:
            parts = urlsplit(urljoin(f"{self.scheme}://{self.authority}{self.request}", location))
        except ValueError as error:
            raise BadLocation(_NO_URL) from error
        authority = parts.netloc.rpartition("@")[2]
        host, port = _host_and_port(authority)
        if _UNPARSABLE.search(location) or not re.fullmatch("[0-9]*", port):
            raise BadLocation(_NO_URL)
        # Only then the rest, as Go has it: whatever another host's URL looks like, it is only a warning.
        if host != home:
            return None
        if parts.scheme not in _DEFAULT_PORTS:
            raise BadLocation(f"the redirect leads to the scheme '{parts.scheme}', expected http or https")
        number = int(port or _DEFAULT_PORTS[parts.scheme])
        if not 0 < number < 65536:
            raise BadLocation(f"the redirect leads to port {port}, expected 1 to 65535")
        return Target(parts.scheme, host, number, authority, _quoted_path(parts.path), _quoted_query(parts.query))


def first_target(check: HttpCheck) -> Target:
    """Where the first request of ``check`` goes.

    The path is read as a URL, so it may hold a query; a scheme and a host in it are overwritten, and what is no URL
    is asked for as it stands (Kubernetes: formatURL).
    """
    # A zone (fe80::1%eth0) means something on this machine only, so it isn't told to the server.
    host = _ascii(check.host.partition("%")[0])
    authority = f"[{host}]:{check.port}" if ":" in host else f"{host}:{check.port}"
    base = Target(check.scheme, check.host, check.port, authority, "/", "")
    try:
        parts = None if _UNPARSABLE.search(check.path) else urlsplit(check.path)
    except ValueError:
        parts = None
    if parts is None:
        return replace(base, path=_quoted_path(check.path.replace("%", "%25")))
    return replace(base, path=_quoted_path(parts.path), query=_quoted_query(parts.query))


def is_absolute(location: str) -> bool:
    """Whether a Location names its scheme."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", location) is not None


def custom_host(headers: tuple[Header, ...]) -> str | None:
    """The Host header that the probe asks for, if it does (Kubernetes: the virtual host, not where to connect)."""
    return next((value.strip() for name, value in headers if name.lower() == "host"), None) or None


def request_headers(given: tuple[Header, ...], host: str) -> list[tuple[bytes, bytes]]:
    """The header lines of a request, with the defaults that ``given`` neither replaces nor, by being empty, removes."""
    lines = [("Host", host)]
    lines += [(name, value) for name, value in given if name.lower() not in _NOT_SENT | {"user-agent", "accept"}]
    lines += _given_or_default(given, "User-Agent", f"stigmer-pm/{__version__}")
    lines += _given_or_default(given, "Accept", "*/*")
    # Every attempt asks a fresh connection, so a server that no longer accepts is noticed.
    if not any(name.lower() == "connection" and "close" in value.lower() for name, value in given):
        lines.append(("Connection", "close"))
    return [(name.encode(), value.strip().encode()) for name, value in lines]


def _given_or_default(given: tuple[Header, ...], name: str, default: str) -> list[Header]:
    found = [value for given_name, value in given if given_name.lower() == name.lower()]
    if not found:
        return [(name, default)]
    return [(name, value) for value in found] if found[0].strip() else []


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host  # no such name can be resolved, and that is what the attempt will say


def _host_and_port(authority: str) -> tuple[str, str]:
    # Not urlsplit's hostname, which is lower-cased: the kubelet compares host names as they are written.
    if authority.startswith("["):
        host, _, rest = authority[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = authority.partition(":")
    return host, port


def _quoted_path(path: str) -> str:
    quoted = quote(path, safe=_PATH_SAFE, errors="surrogateescape")
    return quoted if quoted.startswith("/") else f"/{quoted}"


def _quoted_query(query: str) -> str:
    return quote(query, safe=_QUERY_SAFE, errors="surrogateescape")
