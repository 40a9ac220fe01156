"""``startup``: a unit whose every word systemd reads as it was meant, and what is said to those who expect more."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stigmer_pm.cli.systemd_unit import Unit, unit_text

from .conftest import Cli

FILE = "project: shop\ncomponents: {web: {command: sleep 1}}\n"


def settings(text: str) -> dict[str, list[str]]:
    """The settings of a unit by their keys."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def a_unit(file: str = "/srv/shop/stigmer.yaml", **rest: object) -> Unit:
    """A unit of the system."""
    values: dict[str, object] = {
        "project": "shop",
        "file": file,
        "folder": os.path.dirname(file),
        "program": ("/usr/bin/stigmer-pm",),
        "options": (),
        "environment": {"PATH": "/usr/bin"},
        "user": "deploy",
        "owner": "deploy",
        "has_containers": False,
        "lacking": (),
    }
    return Unit(**{**values, **rest})  # type: ignore[arg-type]


def ok(cli: Cli, *arguments: str) -> str:
    """What a command prints that must succeed."""
    result = cli.run(*arguments)
    assert result.code == 0, result
    return result.out


def test_it_leaves_components_alone_and_brings_the_supervisor_back(cli: Cli) -> None:
    """What systemd does by default would end everything with the supervisor."""
    (cli.dir / "stigmer.yaml").write_text(FILE)
    found = settings(ok(cli, "startup", "--print", "--system"))
    assert found["Type"] == ["notify"]
    assert found["KillMode"] == ["process"]
    assert found["OOMPolicy"] == ["continue"]
    assert found["Restart"] == ["on-failure"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert found["WorkingDirectory"] == [str(cli.dir)]
    assert found["User"]
    assert found["WantedBy"] == ["multi-user.target"]
    for key, command in (("ExecStart", "up --service"), ("ExecReload", "up --timeout 60s"), ("ExecStop", "down")):
        (line,) = found[key]
        assert line.endswith(f" -f {cli.dir}/stigmer.yaml {command}"), line
        assert os.path.isabs(line.split()[0]), line


def test_one_of_a_user_has_no_user_and_starts_with_the_default_target(cli: Cli) -> None:
    """And it says how to run without a login."""
    (cli.dir / "stigmer.yaml").write_text(FILE)
    out = ok(cli, "startup", "--print", "--user")
    found = settings(out)
    assert "User" not in found
    assert found["WantedBy"] == ["default.target"]
    assert "After" not in found
    assert "loginctl enable-linger" in out
    assert "~/.config/systemd/user/stigmer-pm-shop.service" in out


def test_names_and_profiles_are_those_of_its_up(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given, or from STIGMER_PROFILES, which a service doesn't have."""
    (cli.dir / "stigmer.yaml").write_text("components: {web: {command: x, profiles: [a, b]}, db: {command: x}}\n")
    monkeypatch.setenv("STIGMER_PROFILES", "a,b")
    out = ok(cli, "startup", "--print", "web")
    assert settings(out)["ExecStart"][0].endswith(" up --service --profile a --profile b web")


def test_it_names_what_the_file_takes_from_the_environment(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what makes a difference, and never a value."""
    (cli.dir / ".env").write_text("PORT=80\nUNUSED=1\n")
    (cli.dir / "stigmer.yaml").write_text("""
components:
  web:
    command: serve ${PORT} ${LEVEL:-info} ${SAME:-info}
    environment: {API_KEY: "${API_KEY:?}", PASSED: null}
""")
    env = {"API_KEY": "s3cret", "PASSED": "x", "LEVEL": "debug", "SAME": "info", "components": "1", "PORT": "80"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    out = ok(cli, "startup", "--print")
    (line,) = [line for line in out.splitlines() if ".env" in line]
    assert line.endswith(": API_KEY, LEVEL, PASSED.")
    assert "s3cret" not in out


def test_without_print_it_says_what_to_do_and_nothing_is_installed(cli: Cli) -> None:
    """Exit 2, so that no script takes it for done; the lines work as pasted."""
    (cli.dir / "stigmer.yaml").write_text(FILE)
    result = cli.run("startup", "--user")
    assert result.code == 2
    assert result.out == ""
    assert "nothing is installed" in result.err
    assert f"stigmer-pm -f {cli.dir}/stigmer.yaml startup --print --user > ~/.config/systemd/user/" in result.err
    assert "systemctl --user enable --now stigmer-pm-shop.service" in result.err
    assert "tee /etc/systemd/system/stigmer-pm-shop.service" in cli.run("startup", "--system").err


def test_two_projects_of_one_name_have_two_units(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second doesn't overwrite the first, and each keeps its name, whichever is removed."""
    monkeypatch.setenv("HOME", str(cli.dir))
    units = cli.dir / ".config" / "systemd" / "user"
    units.mkdir(parents=True)
    files = [cli.dir / name / "stigmer.yaml" for name in ("one", "t%wo $x")]
    for file in files:
        file.parent.mkdir()
        file.write_text(FILE)

    def install(file: Path) -> str:
        said = cli.run("-f", str(file), "startup", "--user").err
        (name,) = {line.split("/")[-1] for line in said.splitlines() if "startup --print" in line}
        path = units / name
        path.write_text("")  # as a shell does for ">"
        path.write_text(ok(cli, "-f", str(file), "startup", "--print", "--user"))
        assert f"enable --now {name}" in said
        assert f"enable --now {name}" in path.read_text()
        assert ("another project of the name 'shop' has a unit already" in said) is (name != "stigmer-pm-shop.service")
        return name

    first, second = [install(file) for file in files]
    assert first == "stigmer-pm-shop.service"
    assert re.fullmatch(r"stigmer-pm-shop-[0-9a-f]{6}\.service", second)
    assert [install(file) for file in files] == [first, second]
    (units / first).unlink()
    assert [install(file) for file in reversed(files)] == [second, first]


def test_a_file_with_errors_makes_no_unit(cli: Cli) -> None:
    """It would fail at the next start of the machine."""
    (cli.dir / "stigmer.yaml").write_text("components: {web: {comand: x}}\n")
    result = cli.run("startup", "--print")
    assert (result.code, result.out) == (2, "")


ODD = [
    "/srv/a b/x.yaml",
    '/srv/50%/$HOME/"q"/x.yaml',
    "/srv/back\\slash/;x.yaml",
    "/srv/ü '/x.yaml",
    "/srv/%h/${A}/x.yaml",
]


@pytest.mark.parametrize("file", ODD)
def test_odd_paths_are_spelt_as_systemd_reads_them(file: str) -> None:
    """Quotes, backslashes, specifiers and variables: read back by the rules of systemd.service(5)."""
    found = settings(unit_text(a_unit(file, program=(os.path.dirname(file) + "/bin/stigmer-pm",))))
    (line,) = found["ExecStart"]
    assert line.startswith(":") is ("$" in file)
    assert _split(line.removeprefix(":")) == [f"{os.path.dirname(file)}/bin/stigmer-pm", "-f", file, "up", "--service"]
    assert found["WorkingDirectory"][0].replace("%%", "%") == os.path.dirname(file)


def test_odd_values_of_variables_stay_what_they_are() -> None:
    """A PATH may hold anything."""
    value = 'a b:50%:"q":\\:$X'
    (line,) = settings(unit_text(a_unit(environment={"PATH": value})))["Environment"]
    assert _split(line) == [f"PATH={value}"]


def _split(text: str) -> list[str]:
    """Words as systemd has them: in double quotes with C escapes, "%%" for "%"."""
    words, word, quoted, inside, rest = [], "", False, False, iter(text)
    for char in rest:
        if char == "%":
            assert next(rest) == "%"
            word += "%"
        elif inside and char == "\\":
            word += next(rest)
        elif char == '"':
            inside, quoted = not inside, True
        elif char == " " and not inside:
            words += [word] if word or quoted else []
            word, quoted = "", False
        else:
            assert inside or char not in "'\\;", text
            word += char
    assert not inside
    return words + ([word] if word or quoted else [])


def test_a_path_that_systemd_cannot_be_told_of_is_refused(cli: Cli) -> None:
    """Rather than printed as another one."""
    folder = cli.dir / "trailing "
    folder.mkdir()
    (folder / "stigmer.yaml").write_text(FILE)
    result = cli.run("-f", str(folder / "stigmer.yaml"), "startup", "--print")
    assert result.code == 2
    assert "systemd can't be told of the path" in result.err


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["--user", "--system"])
def test_systemd_finds_no_fault_with_it(cli: Cli, tmp_path: Path, kind: str) -> None:
    """``systemd-analyze verify``, which also looks whether the program is there."""
    folder = cli.dir / '50% $HOME "q"'
    folder.mkdir()
    (folder / "stigmer.yaml").write_text(FILE)
    unit = tmp_path / "stigmer-pm-shop.service"
    unit.write_text(ok(cli, "-f", str(folder / "stigmer.yaml"), "startup", "--print", kind))
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        ["systemd-analyze", *([kind] if kind == "--user" else []), "--recursive-errors=no", "verify", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert complaints == []
