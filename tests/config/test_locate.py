"""Which file, and where its state lies."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from stigmer_pm.config import ConfigError, NoFile
from stigmer_pm.config.locate import default_state_dir, find_file, read_state_dir

from .conftest import Folder


def test_the_option_goes_before_the_variable_and_that_before_the_folder(tmp_path: Path) -> None:
    """cli.md: "`-f/--file PATH`, else `STIGMER_FILE`, else the nearest"."""
    for name in ("stigmer.yaml", "a.yaml", "b.yaml"):
        (tmp_path / name).write_text("x")
    here, environ = str(tmp_path), {"STIGMER_FILE": "b.yaml"}
    assert find_file("a.yaml", environ, here) == str(tmp_path / "a.yaml")
    assert find_file(None, environ, here) == str(tmp_path / "b.yaml")
    assert find_file(None, {"STIGMER_FILE": ""}, here) == str(tmp_path / "stigmer.yaml")


@pytest.mark.parametrize("name", ["stigmer.yaml", "stigmer.yml"])
def test_the_nearest_file_at_or_above_the_folder_is_found(tmp_path: Path, name: str) -> None:
    """Both names."""
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / name).write_text("x")
    assert find_file(None, {}, str(below)) == str(tmp_path / name)
    (below / name).write_text("x")
    assert find_file(None, {}, str(below)) == str(below / name)


def test_no_file_names_the_cure(tmp_path: Path) -> None:
    """``init``."""
    for explicit, environ in (("no.yaml", {}), (None, {"STIGMER_FILE": "no.yaml"}), (None, {})):
        with pytest.raises(NoFile, match=r"'stigmer-pm init'"):
            find_file(explicit, environ, str(tmp_path))


def test_the_state_lies_beside_the_file(folder: Folder) -> None:
    """``.stigmer``."""
    folder.write("components: {}\n")
    assert read_state_dir(folder.file, {}) == default_state_dir(folder.file) == str(folder.path / ".stigmer")


@pytest.mark.parametrize(
    ("text", "environ", "expected"),
    [
        ("state_dir: state\n", {}, "state"),
        ("state_dir: ./a/../b # here\n", {}, "b"),
        ("'state_dir': /var/x\n", {}, "/var/x"),
        ("{components: {}, state_dir: s}\n", {}, "s"),
        ("state_dir: ${S:-d}/x\n", {}, "d/x"),
        ("state_dir: $S\n", {"S": "/s"}, "/s"),
        ("state_dir: ~/s\n", {"HOME": "/home/me"}, "/home/me/s"),
        ("components: {a: {labels: {state_dir: x}}}\n", {}, ".stigmer"),
        ("# state_dir: x\n", {}, ".stigmer"),
        ("x-a: &a {state_dir: m}\n<<: *a\n", {}, "m"),
        ("state_dir: s\ncomponents: [broken\n", {}, "s"),
        ("state_dir: 's t'   # why\ncomponents: {a: }: }\n", {}, "s t"),
        ("state_dir: s\ncomponents: {a: {command: x}, a: {command: y}}\n", {}, "s"),
    ],
)
def test_the_state_folder_is_told_even_of_a_file_that_is_broken_elsewhere(
    folder: Folder, text: str, environ: dict[str, str], expected: str
) -> None:
    """What runs must be found while the file is being edited."""
    folder.write(text if "state_dir" not in text or text[0] != "#" else f"{text}components: {{}}\n")
    assert read_state_dir(folder.file, environ) == str(folder.path / expected)


@pytest.mark.parametrize("value", ["a" + " " * 60_000 + "$", "a " * 30_000 + "$", "'a'" + " " * 60_000 + "$"])
def test_ps_does_not_hang_on_a_long_line_of_a_file_that_is_broken_elsewhere(folder: Folder, value: str) -> None:
    """Blanks without end after the value took 50 s to look through, for each was tried as the end of it."""
    folder.write(f"components: [\nstate_dir: {value}\n")
    began = time.process_time()
    with pytest.raises(ConfigError, match="cannot read as YAML"):
        read_state_dir(folder.file, {})
    assert time.process_time() - began < 5


@pytest.mark.parametrize("text", ["state_dir: [a]\n", "state_dir: $UNSET_ONE\n", "state_dir:\n"])
def test_a_state_folder_that_cannot_be_told_is_an_error(folder: Folder, text: str) -> None:
    """With its place."""
    folder.write(text)
    with pytest.raises(ConfigError, match=r"stigmer\.yaml:1:"):
        read_state_dir(folder.file, {})


def test_the_env_file_counts_for_the_state_folder(folder: Folder) -> None:
    """``${VAR}`` from ``.env``."""
    folder.write("WHERE=elsewhere\n", ".env")
    folder.write("state_dir: ${WHERE}\n")
    assert read_state_dir(folder.file, {}) == str(folder.path / "elsewhere")


def test_finding_a_file_imports_neither_yaml_nor_the_models(tmp_path: Path) -> None:
    """``ps`` goes through here, and has a budget."""
    (tmp_path / "stigmer.yaml").write_text("components: {a: {command: x}}\n")
    script = (
        "import sys; from stigmer_pm.config.locate import find_file, read_state_dir; "
        f"read_state_dir(find_file(None, {{}}, {str(tmp_path)!r}), {{}}); "
        "print([name for name in ('yaml', 'pydantic', 'dotenv') if name in sys.modules])"
    )
    root = Path(__file__).parent.parent.parent
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
