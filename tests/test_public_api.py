"""What the package offers to other programs: everything listed is there, and the protocols are what ours are."""

from __future__ import annotations

import subprocess
import sys

import pytest

import stigmer_pm
from stigmer_pm import (
    CheckResult,
    Component,
    HealthProbe,
    Outcome,
    StateDir,
    SupervisedComponent,
    Supervisor,
)
from stigmer_pm.client import ClientError
from stigmer_pm.probes import DeclaredProbe, ProbeContext
from stigmer_pm.spec import ExecCheck, ProbeKind, ProbeSpec

from .probes.real_spawner import RealSpawner
from .project import Project


@pytest.mark.parametrize("name", stigmer_pm.__all__)
def test_everything_that_is_listed_is_there(name: str) -> None:
    """By its name, and with a docstring where it is a class."""
    found = getattr(stigmer_pm, name)
    assert isinstance(found, str) or (found.__doc__ and len(found.__doc__) > 20)


def test_what_is_not_listed_is_no_attribute() -> None:
    """A misspelt name is an AttributeError, as anywhere."""
    with pytest.raises(AttributeError, match="Componend"):
        _ = stigmer_pm.Componend


def test_importing_the_package_imports_nothing_of_it() -> None:
    """The command line must not pay for what other programs use."""
    code = "import sys, stigmer_pm; print(sorted(m for m in sys.modules if m.startswith('stigmer_pm.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['stigmer_pm.version']"


def test_a_probe_of_the_file_is_a_health_probe() -> None:
    """With Kubernetes' fields, and a check that can be made."""
    spec = ProbeSpec(ProbeKind.LIVENESS, exec=ExecCheck(("true",)), period=3.0, timeout=2.0, failure_threshold=4)
    probe: HealthProbe = DeclaredProbe(spec, ProbeContext({}, "/", RealSpawner()))
    assert isinstance(probe, HealthProbe)
    assert (probe.type, probe.interval, probe.timeout, probe.failure_threshold) == ("exec", 3.0, 2.0, 4)


def test_anybodys_probe_is_a_health_probe_by_its_shape() -> None:
    """No base class is needed."""

    class Always:
        type = "always"
        interval = 1.0
        timeout = 1.0
        failure_threshold = 3

        async def check(self) -> CheckResult:
            return CheckResult(Outcome.SUCCESS, "always")

    assert isinstance(Always(), HealthProbe)


@pytest.mark.slow
def test_a_program_holds_a_component_asks_and_restarts_it(project: Project) -> None:
    """Through the socket, as the command line does."""
    project.write("""
        components:
          web: {command: sleep 1000}
          job: {command: "sh -c 'exit 3'", restart: never}
    """)
    project.up(code=1)
    supervisor = Supervisor.find(StateDir(str(project.dir / ".stigmer")))
    web: Component = SupervisedComponent(supervisor, "web")
    assert isinstance(web, Component)
    assert (web.name, web.state(), web.is_healthy()) == ("web", "running", True)
    assert web.health().ready
    before = project.pid("web")
    web.restart()
    assert project.pid("web") != before
    job = SupervisedComponent(supervisor, "job")
    assert job.state() == "failed"
    assert "exited 3" in job.health().reason
    with pytest.raises(ClientError, match="exited 3"):
        job.restart()
