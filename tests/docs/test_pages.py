"""The pages that are written by hand: their links lead somewhere, and what they count is so."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conformance import K8S
from ..conformance.policies import run_policy
from ..conformance.sections import load_cases

_DOCS = Path(__file__).parents[2] / "docs"
_PAGES = sorted(_DOCS.rglob("*.md"))
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _prose(page: Path) -> str:
    """The text of a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    """Where the links of a page to other pages lead: the file, and the heading in it."""
    for target in _LINK.findall(_prose(page)):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield Path(os.path.normpath(page.parent / path)) if path else page, anchor


def _anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_DOCS)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that it has."""
    for target, anchor in _links(page):
        assert target.exists(), f"{target} is not there"
        assert not anchor or anchor in _anchors(target), f"{target.name} has no heading '{anchor}'"


def test_every_page_is_found_from_the_first_one() -> None:
    """By following links from docs/README.md."""
    found, pending = set(), [_DOCS / "README.md"]
    while pending:
        page = pending.pop()
        if page not in found and page.suffix == ".md":
            found.add(page)
            pending.extend(target for target, _ in _links(page))
    assert set(_PAGES) - found == set()


def test_the_page_about_kubernetes_names_what_is_not_run() -> None:
    """Every row of systemd's matrix that has no counterpart, how many cases there are, and how many of them pass."""
    text = (_DOCS / "reference" / "kubernetes.md").read_text(encoding="utf-8")
    cases = load_cases(K8S)
    skipped = [case["id"] for case in cases["systemd_restart_matrix"] if run_policy(case) is None]
    for name in skipped:
        assert f"`{name}`" in text or f"`Restart={name}`" in text, name
        assert f"skip systemd_restart_matrix/{name}: " in text, name
    count = sum(len(found) for found in cases.values())
    assert f"has {count} cases" in text
    assert f"{count - len(skipped)} passed, 0 failed, {len(skipped)} skipped" in text
    for section in cases.values():
        for case in section:
            if "k8s_result" in case or "k8s_quirk" in case:
                assert f"`{case['id']}`" in text, case["id"]
