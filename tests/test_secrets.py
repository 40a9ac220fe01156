"""What is masked before it is shown."""

from __future__ import annotations

import time

import pytest

from stigmer_pm.secrets import mask_value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgres://u:p@db/x", "postgres://u:******@db/x"),
        ("a=amqp+ssl://u:p:q@h b=REDIS://:p@h", "a=amqp+ssl://u:******@h b=REDIS://:******@h"),
        ("http://host:80/a@b", "http://host:80/a@b"),
        ("http://u@host http://[::1]:80/", "http://u@host http://[::1]:80/"),
        ("://u:p@h u:p@h", "://u:p@h u:p@h"),
    ],
)
def test_the_password_of_a_url_is_masked_and_nothing_else_of_it(value: str, shown: str) -> None:
    """Whatever the variable is called."""
    assert mask_value("VALUE", value) == shown


@pytest.mark.parametrize("piece", ["y", "y:", "y://", "://y:", "a://b:c", "+", "@", "?a", "?a=", "&"])
def test_describe_of_a_component_with_a_long_variable_does_not_hang_the_supervisor(piece: str) -> None:
    """A variable may hold 128 KiB. One such took 80 s to look through for the beginning of a URL."""
    began = time.process_time()
    mask_value("VALUE", piece * (128 * 1024 // len(piece)))
    assert time.process_time() - began < 5
