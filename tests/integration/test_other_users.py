"""What a second user of the machine gets: "permission denied", and not even the names; real processes."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.other_user import UID, OtherUser, other_user_of
from tests.project import Project, Result, eventually

FILE = "components: {nimbus: {command: sh -c 'echo line; exec sleep 1000', environment: {TOKEN: hush}}}\n"


@pytest.fixture
def other(project: Project) -> OtherUser:
    """Somebody else, who has no privileges."""
    return other_user_of(project)


def told(result: Result) -> str:
    """All that a command said."""
    assert "Traceback" not in result.err, result
    return result.out + result.err


@pytest.mark.parametrize("is_readable", [True, False])
def test_another_user_is_denied_everything(project: Project, other: OtherUser, is_readable: bool) -> None:
    """Whether he can read the file or not; nothing is changed by him."""
    file = project.write(FILE)
    project.up()
    file.chmod(0o644 if is_readable else 0o600)
    before = project.pids()
    asked = [
        ["ps"],
        ["logs", "-f"],
        ["describe", "nimbu*"],
        ["stop", "--all"],
        ["down"],
        ["up"],
        ["up", "--foreground"],
    ]
    for args in asked if is_readable else asked[::3]:
        result = other.run("-f", str(file), *args)
        assert result.code in (2, 3), result
        assert "nimbus" not in told(result), result
        assert "hush" not in told(result)
        if is_readable and args != ["up", "--foreground"]:
            assert "permission denied: the state folder" in result.err, result
            assert result.code == 3
            assert "belongs to root" in result.err
    assert other.run("ls").err == "no supervisor of this user runs\n"
    assert project.pids() == before


def test_another_user_cannot_reach_socket_state_environment_or_logs(project: Project, other: OtherUser) -> None:
    """Not with bare hands either: the kernel says no at each of them."""
    project.write(FILE)
    project.up()
    supervisor, pid = project.supervisor_pid(), project.pid("nimbus")
    eventually(lambda: project.log("nimbus"))
    socket = json.loads((project.dir / ".stigmer" / "supervisor.json").read_text())["socket"]
    assert stat.S_IMODE(os.stat(socket).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(socket)).st_mode) == 0o700
    os.chmod(project.dir / "tmp", 0o755)  # noqa: S103 (as /tmp is: the folder within it is what counts)
    state = project.dir / ".stigmer"
    for path in (state, state / "state.db", state / "logs" / "nimbus.log", state / "supervisor.json", Path(socket)):
        assert "ermission denied" in other.execute("cat", str(path)).err
    for process in (supervisor, pid):
        assert "ermission denied" in other.execute("cat", f"/proc/{process}/environ").err
        assert "hush" not in other.execute("cat", f"/proc/{process}/cmdline").out
        assert "not permitted" in other.execute("kill", str(process)).err
    connect = f"import socket; socket.socket(socket.AF_UNIX).connect({socket!r})"
    assert "Permission denied" in other.execute("/usr/bin/python3", "-c", connect).err


def test_who_gets_through_to_the_socket_all_the_same_is_turned_away(project: Project, other: OtherUser) -> None:
    """Modes are one lock; that the kernel names the user at the other end is another."""
    project.write(FILE)
    project.up()
    socket = json.loads((project.dir / ".stigmer" / "supervisor.json").read_text())["socket"]
    os.chmod(project.dir / "tmp", 0o755)  # noqa: S103 (somebody's slip)
    os.chmod(os.path.dirname(socket), 0o755)  # noqa: S103
    os.chmod(socket, 0o666)  # noqa: S103
    talk = (
        f"import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect({socket!r})\n"
        "try: s.sendall(b'GET /v1/ps HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(s.recv(9999))\n"
        "except ConnectionError: print(b'')"
    )
    result = other.execute("/usr/bin/python3", "-c", talk)
    assert result.out == "b''\n", result
    assert f"turned away a connection of user {UID}" in (project.dir / ".stigmer" / "supervisor.log").read_text()


def test_root_may_look_after_the_project_of_another_user(project: Project, other: OtherUser) -> None:
    """As it may everything; but no ``up`` of root takes over what belongs to another."""
    other.write(FILE)
    assert other.run("up").code == 0
    try:
        assert "nimbus" in project.ok("ps", cwd=other.dir).out
        assert project.run("stop", "nimbus", cwd=other.dir).code == 0
    finally:
        assert other.run("down").code == 0
    result = project.run("up", cwd=other.dir)
    assert result.code == 2, result
    assert "it belongs to nobody" in result.err
    assert "run stigmer-pm as nobody" in result.err


def test_a_socket_of_another_user_in_the_place_of_ours_gets_not_a_byte(project: Project, other: OtherUser) -> None:
    """``ps`` says whose it is, and exits with 3."""
    project.write(FILE)
    project.up()
    socket = json.loads((project.dir / ".stigmer" / "supervisor.json").read_text())["socket"]
    os.chown(socket, UID, UID)
    result = project.run("ps")
    assert result.code == 3, result
    assert result.err.startswith(f"error: permission denied: the socket {socket} belongs to nobody\n  ")
    assert len(result.err.splitlines()) == 2
    os.chown(socket, 0, 0)


# --- the state folder -------------------------------------------------------------------------------------------


def refused(project: Project, words: str, cure: str) -> None:
    """An ``up`` that refuses the state folder, says why with the cure, and starts nothing."""
    result = project.run("up")
    assert result.code == 2, result
    (error, hint) = result.err.splitlines()
    assert words in error
    assert cure in hint
    assert not project.living()


def test_a_state_folder_of_somebody_else_is_refused(project: Project, other: OtherUser) -> None:
    """He could read what is written there, and write what is read."""
    project.write(FILE)
    (project.dir / ".stigmer").mkdir(mode=0o777)
    os.chown(project.dir / ".stigmer", UID, UID)
    result = project.run("up")
    assert result.code == 2, result
    assert "it belongs to nobody" in result.err
    assert not project.living()
    del other


def test_a_state_folder_that_others_have_filled_is_refused(project: Project) -> None:
    """A ``state.db`` in it would tell the supervisor what to run. An empty one is closed and taken."""
    project.write(FILE)
    state = project.dir / ".stigmer"
    state.mkdir()
    state.chmod(0o777)
    (state / "state.db").write_text("anything")
    refused(project, "others can write it, so what lies in it may be theirs", f"chmod 700 '{state}'")
    (state / "state.db").unlink()
    project.up()
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_a_state_folder_that_others_can_swap_is_refused(project: Project) -> None:
    """Whoever may write a folder above it may put another in its place, unless that folder is sticky."""
    project.write("state_dir: above/parent/state\n" + FILE)
    (project.dir / "above" / "parent").mkdir(parents=True)
    (project.dir / "above").chmod(0o777)
    refused(project, f"every user can write '{project.dir}/above'", f"chmod o-w '{project.dir}/above'")
    (project.dir / "above").chmod(0o1777)
    project.up()
    assert stat.S_IMODE((project.dir / "above/parent/state").stat().st_mode) == 0o700


@pytest.mark.parametrize("target", ["there", "nowhere"])
def test_a_link_in_place_of_the_state_folder_is_refused(project: Project, target: str) -> None:
    """Whatever it leads to; by those who look as well."""
    (project.dir / "there").mkdir()
    project.write(FILE)
    (project.dir / ".stigmer").symlink_to(target)
    result = project.run("up")
    assert result.code in (2, 3), result
    assert "is a symbolic link" in result.err
    assert not (project.dir / "nowhere").exists()
    assert not list((project.dir / "there").iterdir())
    assert project.run("ps").code == 3


@pytest.mark.parametrize("name", ["supervisor.lock", "state.db", "supervisor.json.new"])
def test_a_link_within_the_state_folder_is_not_followed(project: Project, name: str) -> None:
    """It may have been put there before the folder was closed, and would be written through."""
    project.write(FILE)
    victim = project.write("precious\n", "victim")
    (project.dir / ".stigmer").mkdir(mode=0o700)
    (project.dir / ".stigmer" / name).symlink_to(victim)
    project.run("up")
    assert victim.read_text() == "precious\n"


def test_a_log_is_not_written_through_a_link_of_another_user(project: Project, other: OtherUser) -> None:
    """He could have it lead to a file that only we can write. One of our own is followed."""
    victim = project.write("precious\n", "victim")
    link = other.dir / "x.log"
    link.symlink_to(victim)
    os.lchown(link, UID, UID)
    (project.dir / "own.log").symlink_to("elsewhere.log")
    project.write(f"""\
        components:
          a: {{command: sh -c 'echo line; exec sleep 1000', log: {link}, max_restarts: 0}}
          b: {{command: sh -c 'echo line; exec sleep 1000', log: own.log}}
        """)
    project.up(code=1)
    assert victim.read_text() == "precious\n"
    assert "it is a symbolic link of another user" in project.ps()["a"]["reason"]
    eventually(lambda: (project.dir / "elsewhere.log").read_text() == "line\n")
