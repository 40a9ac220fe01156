"""What holds for every spec that comes from a file, and has to hold for one that comes through the socket.

The file's reader says much more, and with places. This keeps out what would end the supervisor when it acts on it: a
probe without a check, a program without a name, a period of nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stigmer_pm.spec.component import ComponentSpec, ContainerExecution, ProcessExecution
from stigmer_pm.spec.probe import ProbeSpec
from stigmer_pm.spec.project import ProjectSpec

# Names of files are made from it: `config.names` has the same for the file.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
#: As `config.durations`: longer than anything that is meant, and short enough for every clock that it is added to.
LONGEST_S = 10_000 * 366 * 86400.0
# As the file: with a larger one, the wait after some thirty failed runs would be no number any more.
_LARGEST_FACTOR = 1000
# Numbers of signals go to 64 on Linux; 0 leaves a container its image's own.
_SIGNALS = range(65)
_LARGEST = 2**63 - 1


def check_sound(spec: ProjectSpec) -> None:
    """Return if ``spec`` could have come from a file.

    Raises:
        ValueError: it could not; the message names the component and what is wrong with it.
    """
    names = {component.name for component in spec.components}
    if len(names) != len(spec.components):
        raise ValueError("two components have one name")
    for path in (spec.file, spec.state_dir):
        if not path.startswith("/"):
            raise ValueError(f"expected an absolute path, found '{path:.60}'")
    for component in spec.components:
        for words in _faults(component, names):
            raise ValueError(f"component '{component.name:.60}': {words}")


def _faults(spec: ComponentSpec, names: set[str]) -> Iterator[str]:
    if not _NAME.fullmatch(spec.name):
        yield "expected a name of at most 63 letters, digits, '.', '_' and '-'"
    for dependency in spec.depends_on:
        if dependency.name not in names:
            yield f"it depends on '{dependency.name:.60}', which is not there"
    if (spec.process is None) == (spec.container is None):
        yield "expected either a process or a container"
    if spec.process is not None:
        yield from _faults_of_process(spec.process)
    if spec.container is not None:
        yield from _faults_of_container(spec.container)
    if spec.stop_signal not in _SIGNALS or (spec.process is not None and not spec.stop_signal):
        yield f"there is no signal {spec.stop_signal}"
    backoff = spec.backoff
    times = (spec.min_uptime, spec.restart_window, spec.stop_timeout, backoff.initial, backoff.max)
    if not all(0 <= seconds <= LONGEST_S for seconds in times):
        yield "expected durations of 0 to 10000 years"
    if not (1 <= backoff.factor <= _LARGEST_FACTOR and 0 <= backoff.jitter <= 1):
        yield f"expected a backoff with a factor from 1 to {_LARGEST_FACTOR}, and a jitter from 0 to 1"
    for kind in ("startup", "liveness", "readiness"):
        probe: ProbeSpec | None = getattr(spec.probes, kind)
        if probe is not None:
            yield from (f"{kind} probe: {words}" for words in _faults_of_probe(probe, kind))


def _faults_of_process(process: ProcessExecution) -> Iterator[str]:
    if not process.argv or not process.argv[0]:
        yield "expected a program to execute"
    for path in (process.working_dir, process.log):
        if not path.startswith("/"):
            yield f"expected an absolute path, found '{path:.60}'"
    if process.umask is not None and process.umask not in range(0o1000):
        yield "expected a umask from 0 to 0777"
    if process.nice is not None and process.nice not in range(-20, 20):
        yield "expected a niceness from -20 to 19"
    limits = process.limits
    if not all(-1 <= limit <= _LARGEST for limit in (limits.nofile, limits.nproc, limits.core) if limit is not None):
        yield "expected limits from -1 to 2**63-1"


def _faults_of_container(container: ContainerExecution) -> Iterator[str]:
    if not container.image or not container.container_name:
        yield "expected an image, and the name of a container"
    if not container.log.startswith("/"):
        yield f"expected an absolute path, found '{container.log:.60}'"
    for port in container.ports:
        published = [p for p in (port.published, port.published_end) if p is not None]
        if port.target not in range(1, 65536) or not all(p in range(65536) for p in published):
            yield "expected ports from 1 to 65535"


def _faults_of_probe(probe: ProbeSpec, kind: str) -> Iterator[str]:
    checks = [c for c in (probe.http, probe.tcp, probe.exec, probe.grpc, probe.log, probe.plugin) if c is not None]
    if len(checks) != 1 or probe.kind.value != kind:
        yield "expected one check, and the kind of its place"
    if probe.exec is not None and not (probe.exec.argv and probe.exec.argv[0]):
        yield "expected a program to execute"
    for check in (probe.http, probe.tcp, probe.grpc):
        if check is not None and check.port not in range(1, 65536):
            yield "expected a port from 1 to 65535"
    if probe.http is not None and probe.http.scheme not in ("http", "https"):
        yield "expected http or https"
    if probe.log is not None:
        try:
            re.compile(probe.log.pattern)
        except (re.error, RecursionError, OverflowError) as error:
            yield f"expected a regular expression: {error}"
    if not (0 < probe.period <= LONGEST_S and 0 < probe.timeout <= LONGEST_S):
        yield "expected a period and a timeout above 0"
    if not (0 <= probe.initial_delay <= LONGEST_S and 0 <= (probe.termination_grace or 0) <= LONGEST_S):
        yield "expected durations of 0 to 10000 years"
    if probe.success_threshold < 1 or probe.failure_threshold < 1:
        yield "expected thresholds of 1 or more"
