"""One state directory belongs to one file, and is found whatever has happened to its address; real processes."""

from __future__ import annotations

import json

from tests.project import Project, eventually

FILE = "components: {a: {command: sleep 1000}}\n"


def test_a_folder_with_other_things_in_it_is_no_state_directory(project: Project) -> None:
    """A slip in ``state_dir`` must not put logs among somebody's sources."""
    project.write("int main;\n", "src/main.c")
    project.write("state_dir: src\n" + FILE)
    result = project.run("up")
    assert result.code == 2, result
    assert "src" in result.err
    assert sorted(p.name for p in (project.dir / "src").iterdir()) == ["main.c"]


def test_another_file_over_the_same_state_directory_is_refused(project: Project) -> None:
    """It would end what the first runs, as components that are no longer in the file."""
    project.write(FILE)
    project.up()
    project.write("components: {b: {command: sleep 1000}}\n", "other.yaml")
    result = project.run("-f", "other.yaml", "up")
    assert result.code == 2, result
    assert "stigmer.yaml" in result.err
    assert project.ps()["a"]["ready"]


def test_an_edited_state_directory_is_refused_while_the_old_one_is_in_use(project: Project) -> None:
    """A second supervisor would start everything a second time."""
    project.write(FILE)
    project.up()
    project.write("state_dir: elsewhere\n" + FILE)
    result = project.run("up")
    assert result.code == 2, result
    assert ".stigmer" in result.err
    assert not (project.dir / "elsewhere").exists()
    project.write(FILE)
    assert "nothing changed" in project.up().out


def test_a_supervisor_is_found_without_its_address(project: Project) -> None:
    """It answers on its socket; the file with the address comes back by itself."""
    project.write(FILE)
    project.up()
    address = project.dir / ".stigmer" / "supervisor.json"
    pid = project.pid("a")
    address.unlink()
    assert project.pid("a") == pid
    eventually(address.exists, "the address is written again")
    address.write_text("{")
    assert "nothing changed" in project.up().out
    eventually(lambda: json.loads(address.read_text() + " ") if address.read_text() != "{" else None)


def test_the_order_of_the_file_is_the_order_of_the_table(project: Project) -> None:
    """Also for one that is put in later, before the others."""
    project.write("components: {b: {command: sleep 1000}}\n")
    project.up()
    project.write("components: {z: {command: sleep 1000}, b: {command: sleep 1000}, a: {command: sleep 1000}}\n")
    project.up()
    assert list(project.ps()) == ["z", "b", "a"]


def test_the_order_of_the_file_outlives_the_supervisor(project: Project) -> None:
    """One that is put in between, and an order that is edited and nothing else."""
    web, later = "{command: sleep 1000}", "{command: sleep 1000, autostart: false}"
    project.write(f"components: {{a: {web}, b: {web}, c: {web}}}\n")
    project.up()
    project.write(f"components: {{a: {web}, x: {later}, b: {web}, c: {web}}}\n")
    project.up()
    project.kill_supervisor()
    project.ok("restart", "c")
    assert list(project.ps()) == ["a", "x", "b", "c"]
    project.write(f"components: {{c: {web}, x: {later}, b: {web}, a: {web}}}\n")
    project.up()
    project.kill_supervisor()
    project.ok("restart", "c")
    assert list(project.ps()) == ["c", "x", "b", "a"]
