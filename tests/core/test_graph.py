"""Sums along the graph of dependencies."""

from __future__ import annotations

from itertools import pairwise

from stigmer_pm.core.graph import heaviest_chain


def test_the_heaviest_chain_is_what_a_stop_in_order_may_take() -> None:
    """Side by side counts once, one after the other is added up; what isn't weighed counts nothing."""
    weights = {"db": 20.0, "cache": 5.0, "web": 10.0, "worker": 1.0, "lone": 12.0}
    edges = {"web": ["db", "cache", "db"], "worker": ["web", "elsewhere"], "cache": []}
    assert heaviest_chain(weights, edges) == 20.0 + 10.0 + 1.0
    assert heaviest_chain({"lone": 12.0, "db": 2.0}, {}) == 12.0
    assert heaviest_chain({}, {}) == 0.0


def test_a_chain_of_any_length_costs_no_stack() -> None:
    """And a diamond of diamonds is not walked along every path."""
    names = [f"c{i}" for i in range(5000)]
    assert heaviest_chain(dict.fromkeys(names, 1.0), dict(zip(names[1:], ([n] for n in names), strict=False))) == 5000
    layers = [[f"l{i}a", f"l{i}b"] for i in range(60)]
    edges = {name: below for below, layer in pairwise(layers) for name in layer}
    assert heaviest_chain(dict.fromkeys((n for layer in layers for n in layer), 1.0), edges) == 60


def test_a_cycle_is_left_out() -> None:
    """It is refused elsewhere, and must not hang here."""
    assert heaviest_chain({"a": 1.0, "b": 1.0, "c": 3.0}, {"a": ["b"], "b": ["a"]}) == 3.0
