"""Networks that containers join, and the names of images."""

from __future__ import annotations

import pytest

from stigmer_pm.spec import Network

from .conftest import Folder, container_of


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[back, front]", [Network("back"), Network("front")]),
        ("back", [Network("back")]),
        ("[]", []),
        ("[host]", [Network("host")]),
        ("none", [Network("none")]),
        ("{back: , front: {}}", [Network("back"), Network("front")]),
        ("{back: {aliases: [db, cache]}}", [Network("back", ("db", "cache"))]),
        ("{back: {aliases: db}}", [Network("back", ("db",))]),
    ],
)
def test_networks_are_joined_as_compose_has_them(folder: Folder, written: str, expected: list[Network]) -> None:
    """A list of names, or a mapping of names to their aliases."""
    assert list(container_of(folder, f"image: i, networks: {written}").networks) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[a b]", "28: [0]: expected a name of letters, digits, '_', '.' and '-' that begins with a letter or digit, "
         "found 'a b'"),
        ("{-a: {}}", "28: .-a: expected a name of letters, digits, '_', '.' and '-' that begins with a letter or "
         "digit, found '-a'"),
        ("[a, b, a]", "34: [2]: 'a' stands here for the second time"),
        ("[a, host]", "31: [1]: 'host' stands alone: remove it, or the other networks"),
        ("{none: , a: }", "28: .none: 'none' stands alone: remove it, or the other networks"),
        ("{host: {aliases: [x]}}", "35: .host.aliases: there are no aliases on 'host'"),
        ("{a: {aliases: [x y]}}", "42: .a.aliases[0]: expected a name of letters, digits, '_', '.' and '-' that begins "
         "with a letter or digit, found 'x y'"),
        ("{a: {ipv4_address: 10.0.0.1}}", "32: .a.ipv4_address: unknown key 'ipv4_address'; there is: aliases"),
        ("{a: b}", "31: .a: expected a mapping with 'aliases', found 'b'"),
        ("host, ports: ['80:80']", "33: ports: not with 'networks: [host]': the container's ports are the machine's "
         "already; remove one of the two"),
        ("[none], ports: ['80:80']", "35: ports: not with 'networks: [none]': nothing reaches the container; remove "
         "one of the two"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_networks_is_told_at_its_place(folder: Folder, written: str, expected: str) -> None:
    """With what is valid, or what to remove."""
    found = folder.problem(f"components:\n  a: {{image: i, networks: {written}}}\n")
    place, _, message = expected.partition(" ")
    path = "components.a." if message.startswith("ports") else "components.a.networks"
    assert found == f"2:{place} {path}{message}"


@pytest.mark.parametrize(
    "name",
    ["redis", "redis:7", "redis:7.2-alpine_x", "library/redis", "ghcr.io/org/sub/app:1.2", "localhost:5000/app",
     "localhost/app", "my-registry.test:443/a__b/c.d-e:LATEST", "'[::1]:5000/app:1'", "a" * 64,
     "'redis@sha256:" + "0a" * 32 + "'", "'ghcr.io/o/app:1.2@sha256:" + "0a" * 32 + "'", "'sha256:" + "0a" * 32 + "'",
     "REGISTRY/app"],
)  # fmt: skip
def test_an_image_is_named_as_docker_has_it(folder: Folder, name: str) -> None:
    """``[DOMAIN[:PORT]/]PATH[:TAG][@DIGEST]``; capitals at the beginning are those of a domain."""
    assert container_of(folder, f"image: {name}").image == name.strip("'")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("redis 7", "; there are no blanks in it"),
        ("Redis:7", "; it is written in lower case: 'redis'"),
        ("ghcr.io/Org/app", "; it is written in lower case: 'ghcr.io/org/app'"),
        ("redis:", "; the tag after ':' is empty"),
        ("localhost:5000/app:", "; the tag after ':' is empty"),
        ("https://ghcr.io/a/b", "; write it without 'https://'"),
        ("redis:-1", "; a tag has at most 128 letters, digits, '_', '.' and '-', and begins with none of the last two"),
        ("redis@sha256:123", "; after '@' comes a digest such as sha256: and 64 hexadecimal digits"),
        ("redis@", "; after '@' comes a digest such as sha256: and 64 hexadecimal digits"),
        (":7", ""),
        ("a//b", ""),
        ("redis_", ""),
        ("a/" * 128 + "b", "; the name before the tag has at most 255 characters"),
        ("a" * 100_000, "; the name before the tag has at most 255 characters"),
        ("a-" * 50_000, "; the name before the tag has at most 255 characters"),
        ("x:" + "7" * 129, "; a tag has at most 128 letters, digits, '_', '.' and '-', and begins with none of the "
         "last two"),
    ],
)  # fmt: skip
def test_what_is_no_name_of_an_image_is_told(folder: Folder, name: str, hint: str) -> None:
    """With what is wrong with it, where that can be told; and soon, however long it is."""
    shown = name if len(name) <= 60 else f"{name[:57]}..."
    assert folder.problem(f"components:\n  a: {{image: '{name}'}}\n") == (
        "2:14: components.a.image: expected the name of an image such as redis:7 or ghcr.io/org/app:1.2, "
        f"found '{shown}'{hint}"
    )
