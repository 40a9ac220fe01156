"""Whose a container or network is, said to somebody whose name it has taken."""

from __future__ import annotations

from pathlib import Path

from stigmer_pm.runtime.containers import labels
from stigmer_pm.runtime.containers.labels import Owner, other_project_words, way_out_words

REMOVAL = "docker rm -f shop-web"


def test_another_project_is_named_with_its_file_and_the_command_that_ends_it(tmp_path: Path) -> None:
    """It works as pasted, whatever the path."""
    file = tmp_path / "my shop.yaml"
    file.touch()
    theirs = labels.project_labels(Owner("1", str(file)), "shop")
    ours = Owner("2", "/srv/shop/stigmer.yaml")
    assert other_project_words(theirs, ours) == f"another project 'shop', that of {file}"
    assert way_out_words(theirs, ours, REMOVAL) == f"or end that one (stigmer-pm -f '{file}' down)"


def test_one_that_is_gone_or_was_made_before_is_removed_by_hand() -> None:
    """Nothing can be asked of it any more."""
    ours = Owner("2", "/srv/shop/stigmer.yaml")
    gone = labels.project_labels(Owner("1", "/nowhere/stigmer.yaml"), "shop")
    older = {labels.KEY: "1", labels.PROJECT: "shop"}
    assert other_project_words(older, ours) == "another project 'shop'"
    for found in (gone, older):
        assert way_out_words(found, ours, REMOVAL) == f"or remove it, if that one is gone ({REMOVAL})"


def test_the_same_path_on_another_machine_is_said_to_be_there(tmp_path: Path) -> None:
    """The command would end ourselves."""
    file = tmp_path / "stigmer.yaml"
    file.touch()
    ours = Owner("2", str(file))
    theirs = labels.project_labels(Owner("1", str(file)), "shop")
    assert other_project_words(theirs, ours) == f"another project 'shop', that of {file} on another machine"
    assert "down" not in way_out_words(theirs, ours, REMOVAL)
