"""What an HTTP probe asks for, as a pure function of its fields."""

from __future__ import annotations

import contextlib

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stigmer_pm.probes.request import BadLocation, first_target, request_headers
from stigmer_pm.spec import HttpCheck


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/"),
        ("healthz", "/healthz"),
        ("/h?x=1&y=2", "/h?x=1&y=2"),
        ("/h#part", "/h"),
        ("/a b/ü?q=a b", "/a%20b/%C3%BC?q=a%20b"),
        ("/a%20b", "/a%20b"),
        ("/100%", "/100%25"),
        ("/100%?x", "/100%25%3Fx"),
        ("/a\nb", "/a%0Ab"),
        ("http://elsewhere:1/x?y=1", "/x?y=1"),
        ("//elsewhere/x", "/x"),
        ("/[", "/["),
    ],
)
def test_a_path_is_read_as_a_url_and_encoded_where_needed(path: str, asked: str) -> None:
    """Kubernetes: formatURL; what is no URL is asked for as it stands."""
    target = first_target(HttpCheck(80, path=path))
    assert target.request == asked
    assert (target.host, target.port) == ("127.0.0.1", 80)


@settings(deadline=None)  # no promise of speed is made here
@given(st.text())
def test_any_path_makes_a_request_that_can_be_sent(path: str) -> None:
    """No text in the file can break the request line, or lead to another host."""
    target = first_target(HttpCheck(80, path=path))
    request = h11.Request(method="GET", target=target.request, headers=request_headers((), target.authority))
    assert request.target.startswith(b"/")
    assert target.authority == "127.0.0.1:80"


@settings(deadline=None)  # no promise of speed is made here
@given(st.binary() | st.text().map(str.encode))
def test_any_location_leads_somewhere_or_is_refused(sent: bytes) -> None:
    """A server can't make the prober fail otherwise, or send it to another host."""
    location = sent.decode("utf-8", "surrogateescape")
    target = first_target(HttpCheck(80))
    with contextlib.suppress(BadLocation):
        following = target.redirected(location, home="127.0.0.1")
        if following is not None:
            assert following.host == "127.0.0.1"
            h11.Request(method="GET", target=following.request, headers=[("Host", following.authority)])


def test_relative_locations_start_from_the_request_that_was_redirected() -> None:
    """Also across several hops."""
    first = first_target(HttpCheck(8080, path="/a/b?x"))
    second = first.redirected("../c", home="127.0.0.1")
    assert second is not None
    third = second.redirected("?y", home="127.0.0.1")
    assert third is not None
    assert (second.shown, third.request) == ("http://127.0.0.1:8080/c", "/c?y")
