"""A probe of another package: registered by its entry point, validated with its own fields, asked like any other."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from ..project import Project, eventually

pytestmark = pytest.mark.slow

MODULE = '''
    """A small package with a probe of its own: a file that has a word in it."""

    import asyncio
    import os
    from dataclasses import dataclass

    from stigmer_pm import CheckResult, Outcome


    @dataclass(frozen=True)
    class WordProbe:
        path: str
        word: str = "ok"
        delay: float = 0.0

        def __post_init__(self):
            if not self.word:
                raise ValueError("word must not be empty")

        async def check(self, timeout, context):
            await asyncio.sleep(self.delay)
            if self.word == "bug":
                raise KeyError("a bug of the plugin")
            try:
                with open(os.path.join(context.working_dir, self.path)) as file:
                    text = file.read()
            except OSError as error:
                return CheckResult(Outcome.FAILURE, f"cannot read it: {error.strerror.lower()}")
            found = self.word in text and context.environment.get("STAGE") == "test"
            return CheckResult(Outcome.SUCCESS if found else Outcome.FAILURE, f"'{text.strip()}'")


    def not_a_class():
        """What somebody may register by mistake."""
'''
ENTRY_POINTS = """\
    [stigmer_pm.probes]
    word = wordprobe:WordProbe
    broken = wordprobe:not_a_class
    missing = nosuchmodule:Probe
"""


@pytest.fixture
def plugged(project: Project) -> Project:
    """A project whose Python has the package installed."""
    site = project.dir / "site"
    info = site / "wordprobe-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "wordprobe.py").write_text(textwrap.dedent(MODULE))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wordprobe\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(textwrap.dedent(ENTRY_POINTS))
    project.environ["PYTHONPATH"] += f":{site}"
    return project


def write(project: Project, probe: str) -> Path:
    """A file whose component has that readiness probe."""
    return project.write(f"""
        components:
          web:
            command: sleep 1000
            environment: {{STAGE: test}}
            probes: {{readiness: {{{probe}, period: 100ms}}}}
    """)


def test_it_is_asked_like_any_other(plugged: Project) -> None:
    """``up`` waits for it; what it says is shown; its environment and folder are the component's."""
    (plugged.dir / "state.txt").write_text("starting\n")
    write(plugged, "word: {path: state.txt, word: ready}")
    up = plugged.start("up")
    eventually(lambda: "'starting'" in plugged.run("ps").out)
    (plugged.dir / "state.txt").write_text("ready\n")
    out, err = up.communicate(timeout=30)
    assert up.returncode == 0, (out, err)
    (probe,) = plugged.ok("describe", "web", "--json").json["probes"]
    assert (probe["check"], probe["last"]["outcome"], probe["last"]["output"]) == ("word", "success", "'ready'")


@pytest.mark.parametrize(
    ("probe", "place", "words"),
    [
        ("word: {path: x, wrod: y}", ".word:", "unknown field 'wrod'"),
        ("word: {path: 5}", ".word:", "expected a str, found 5"),
        ("word: {word: x}", ".word:", "path"),
        ("word: {path: x, word: ''}", ".word:", "word must not be empty"),
        ("word: nothing", ".word:", "expected a mapping"),
        ("wrod: {path: x}", ".wrod:", "unknown key 'wrod'; did you mean 'word'?"),
        ("broken: {}", ".broken:", "no dataclass with a method 'check'"),
        ("missing: {}", ".missing:", "cannot load the probe 'missing'"),
        ("word: {path: x}, tcp: 80", ".word:", "expected one handler"),
    ],
)
def test_its_fields_are_checked_when_the_file_is_read(plugged: Project, probe: str, place: str, words: str) -> None:
    """With place and cure, exit status 2, and nothing started."""
    write(plugged, probe)
    result = plugged.run("up")
    assert result.code == 2, result
    assert f"components.web.probes.readiness{place}" in result.err
    assert words in result.err
    assert "Traceback" not in result.err


def test_a_plugin_that_hangs_or_has_a_bug_hurts_nobody(plugged: Project) -> None:
    """Its timeout is a failure, its bug is discarded; the other component is ready meanwhile."""
    (plugged.dir / "x").write_text("ok")
    plugged.write("""
        components:
          hangs:
            command: sleep 1000
            probes: {readiness: {word: {path: x, delay: 60.0}, timeout: 200ms, period: 100ms}}
          buggy:
            command: sleep 1000
            probes: {readiness: {word: {path: x, word: bug}, period: 100ms}}
          fine: {command: sleep 1000}
    """)
    plugged.up("--no-wait")
    plugged.ok("wait", "fine")
    eventually(lambda: "word: no answer within 0.2s" in plugged.ps()["hangs"]["reason"])
    eventually(lambda: "bug in the handler 'plugin': KeyError" in plugged.ps()["buggy"]["reason"])


def test_without_the_package_the_key_is_unknown(project: Project) -> None:
    """And its name is told."""
    write(project, "word: {path: x}")
    result = project.run("validate")
    assert result.code == 2
    assert "unknown key 'word'" in result.err
