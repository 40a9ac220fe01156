"""Probes in our spelling and in Kubernetes', in short and in full."""

from __future__ import annotations

import pytest

from stigmer_pm.spec import ExecCheck, HttpCheck, ProbeKind, Probes, ProbeSpec, TcpCheck

from .conftest import Folder


def probe_of(folder: Folder, written: str, kind: str = "liveness") -> ProbeSpec:
    """The one probe of the component."""
    found: ProbeSpec | None = getattr(folder.component(f"command: x, probes: {{{kind}: {written}}}").probes, kind)
    assert found is not None
    return found


def test_the_defaults_are_those_of_kubernetes(folder: Folder) -> None:
    """config.md, "A probe"."""
    assert probe_of(folder, "{tcp: 80}") == ProbeSpec(
        kind=ProbeKind.LIVENESS,
        tcp=TcpCheck(port=80, host="127.0.0.1"),
        initial_delay=0.0,
        period=10.0,
        timeout=1.0,
        success_threshold=1,
        failure_threshold=3,
        termination_grace=None,
    )


@pytest.mark.parametrize(
    ("written", "check"),
    [
        ("http: 'http://localhost:8080/healthz?a=b'", HttpCheck(8080, "/healthz?a=b", "localhost")),
        ("http: 'http://localhost'", HttpCheck(80, "/", "localhost")),
        ("http: https://example.test/x", HttpCheck(443, "/x", "example.test", "https")),
        ("http: 'http://[::1]:8080/'", HttpCheck(8080, "/", "::1")),
        ("http: {port: 8080}", HttpCheck(8080)),
        ("http: {port: 8080, path: healthz}", HttpCheck(8080, "/healthz")),
        ("http: {port: 8080, path: ''}", HttpCheck(8080, "/")),
        ("http: {port: 8080, path: /ü, host: '[::1]', scheme: HTTPS}", HttpCheck(8080, "/ü", "::1", "https")),
        ("http: {port: 1, headers: {A: b, X-C: 5}}", HttpCheck(1, headers=(("A", "b"), ("X-C", "5")))),
        (
            "http: {port: 1, headers: [{name: A, value: b}, {name: A}]}",
            HttpCheck(1, headers=(("A", "b"), ("A", ""))),
        ),
        ("http: {port: 1, headers: }", HttpCheck(1)),
        ("httpGet: {port: 8080, path: /x, scheme: HTTPS, host: h}", HttpCheck(8080, "/x", "h", "https")),
        ("httpGet: {port: 1, httpHeaders: [{name: A, value: ''}]}", HttpCheck(1, headers=(("A", ""),))),
        ("tcp: 5432", TcpCheck(5432)),
        ("tcp: db:5432", TcpCheck(5432, "db")),
        ("tcp: '[::1]:5432'", TcpCheck(5432, "::1")),
        ("tcp: {port: 5432, host: db}", TcpCheck(5432, "db")),
        ("tcpSocket: {port: 5432, host: db}", TcpCheck(5432, "db")),
        ("exec: pg_isready -q 'a b'", ExecCheck(("pg_isready", "-q", "a b"))),
        ("exec: [pg_isready, -q]", ExecCheck(("pg_isready", "-q"))),
        ("exec: {command: pg_isready -q}", ExecCheck(("pg_isready", "-q"))),
        ("exec: {command: [pg_isready, 5, '']}", ExecCheck(("pg_isready", "5", ""))),
        ("exec: true", ExecCheck(("true",))),
    ],
)
def test_a_handler_may_be_written_in_short_or_in_full(
    folder: Folder, written: str, check: HttpCheck | TcpCheck | ExecCheck
) -> None:
    """config.md: "`http: URL`", "`tcp: PORT`", "`exec: COMMAND`"."""
    assert probe_of(folder, f"{{{written}}}").check == check


OURS = "tcp: 80, initial_delay: 5s, period: 2s, timeout: 3s, success_threshold: 1, failure_threshold: 4"
KUBERNETES = (
    "tcpSocket: {port: 80}, initialDelaySeconds: 5, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, "
    "failureThreshold: 4"
)


@pytest.mark.parametrize("kind", ["startup", "liveness", "readiness"])
def test_both_spellings_mean_the_same(folder: Folder, kind: str) -> None:
    """config.md: "the fields in snake_case, or as Kubernetes spells them"."""
    grace = ("", "") if kind == "readiness" else (", termination_grace: 7s", ", terminationGracePeriodSeconds: 7")
    ours = folder.component(f"command: x, probes: {{{kind}: {{{OURS}{grace[0]}}}}}").probes
    theirs = folder.component(f"command: x, probes: {{{kind}Probe: {{{KUBERNETES}{grace[1]}}}}}").probes
    assert ours == theirs != Probes()
    assert folder.component(f"command: x, probes: {{{kind}: {{{KUBERNETES}{grace[1]}}}}}").probes == ours


def test_a_block_of_a_pod_may_be_pasted_as_it_is(folder: Folder) -> None:
    """design.md: "so that a block pasted from a Pod works"."""
    spec = folder.load(
        """
        components:
          web:
            command: ./web
            probes:
              startupProbe:
                httpGet:
                  path: /healthz
                  port: 8080
                  httpHeaders:
                  - name: Custom-Header
                    value: Awesome
                failureThreshold: 30
                periodSeconds: 10
              livenessProbe:
                exec:
                  command:
                  - cat
                  - /srv/healthy
                initialDelaySeconds: 5
                periodSeconds: 5
              readinessProbe:
                tcpSocket:
                  port: 8080
                initialDelaySeconds: 15
                successThreshold: 2
        """
    )
    assert spec.components[0].probes == Probes(
        startup=ProbeSpec(
            ProbeKind.STARTUP,
            http=HttpCheck(8080, "/healthz", headers=(("Custom-Header", "Awesome"),)),
            failure_threshold=30,
        ),
        liveness=ProbeSpec(ProbeKind.LIVENESS, exec=ExecCheck(("cat", "/srv/healthy")), initial_delay=5.0, period=5.0),
        readiness=ProbeSpec(ProbeKind.READINESS, tcp=TcpCheck(8080), initial_delay=15.0, success_threshold=2),
    )


def test_fractions_of_seconds_are_an_extension(folder: Folder) -> None:
    """semantics.md: "accept fractions as an extension"."""
    assert probe_of(folder, "{tcp: 80, periodSeconds: 0.5, timeout: 250ms}").period == 0.5


def test_a_timeout_may_be_longer_than_the_period(folder: Folder) -> None:
    """semantics.md: "timeoutSeconds > periodSeconds is legal"."""
    assert probe_of(folder, "{tcp: 80, period: 1s, timeout: 5s}").timeout == 5.0


def test_a_named_port_is_the_containers(folder: Folder) -> None:
    """By the names of its ``ports``; an unknown one is told with those that there are."""
    ports = "ports: [{target: 8080, name: web}, {target: 9090, name: metrics}]"
    spec = folder.component(f"image: i, {ports}, probes: {{liveness: {{httpGet: {{port: metrics}}}}}}")
    assert spec.probes.liveness is not None
    assert spec.probes.liveness.http == HttpCheck(9090)
    found = folder.problem(f"components: {{a: {{image: i, {ports}, probes: {{liveness: {{tcp: wbe}}}}}}}}\n")
    assert found.endswith("no port under 'ports' is called 'wbe'; there is: 'web', 'metrics'")


def test_probes_may_be_empty(folder: Folder) -> None:
    """As when all of them are commented out."""
    assert folder.component("command: x, probes: ").probes == Probes()


# The probe stands in column 39; each problem with its path from there.
REFUSED = {
    "{http: {port: 80}, exec: x, tcp: 80}": [
        "39: .http: expected one handler, found 'exec' as well",
        "66: .tcp: expected one handler, found 'exec' as well",
    ],
    "{http: {port: 80}, httpGet: {port: 80}}": ["57: .httpGet: expected one handler, found 'http' as well"],
    "{httpGet: {path: /}}": ["39: .httpGet.port: expected 'port', which is required"],
    "{exec: {}}": ["39: .exec.command: expected 'command', which is required"],
    "{http: {port: 0, path: 'a b', host: 'x/y', scheme: ftp}}": [
        "52: .http.port: expected a port from 1 to 65535, found the number 0",
        "61: .http.path: expected a path without blanks and control characters, found 'a b'",
        "74: .http.host: expected a host name or address, found 'x/y'",
        "89: .http.scheme: expected http or https, found 'ftp'",
    ],
    "{http: {port: 80, headers: [{name: a b}, {nme: x}, 5, {name: c, value: [x]}]}}": [
        "73: .http.headers[0].name: expected the name of a header (letters, digits and '-'), found 'a b'",
        "79: .http.headers[1]: expected 'name' and 'value', found a mapping with 'nme'",
        "89: .http.headers[2]: expected 'name' and 'value', found the number 5",
        "109: .http.headers[3].value: expected the value of a header, found a list",
    ],
    "{http: {port: 80, headers: {A: [x], b c: 1, D: \"x\\ny\"}}}": [
        "69: .http.headers.A: expected the value of a header, found a list",
        "74: .http.headers.\"b c\": expected the name of a header (letters, digits and '-'), found 'b c'",
        "85: .http.headers.D: expected the value of a header in one line, found 'x\\ny'",
    ],
    "{http: {port: 80, headers: 5}}": [
        "65: .http.headers: expected a mapping, or a list of name and value, found the number 5"
    ],
    "{httpGet: {port: 80, httpHeaders: {A: b}}}": [
        "72: .httpGet.httpHeaders: expected a list of name and value, found a mapping"
    ],
    "{httpGet: {port: 80, scheme: https}}": [
        "67: .httpGet.scheme: expected HTTP or HTTPS, found 'https'; did you mean 'HTTPS'?"
    ],
    "{http: 'http://x:99999/'}": [
        "45: .http: expected a URL such as http://127.0.0.1:8080/healthz, found 'http://x:99999/' (Port out of range "
        "0-65535)"
    ],
    "{tcp: 'db:'}": ["44: .tcp: expected a port from 1 to 65535, found nothing"],
    "{tcp: ':80'}": ["44: .tcp: expected a host name or address, found an empty one"],
    "{tcp: 80, success_threshold: 2}": ["67: .success_threshold: expected 1 for a liveness probe, found 2"],
    "{tcp: 80, successThreshold: 2}": ["66: .successThreshold: expected 1 for a liveness probe, found 2"],
    "{tcp: 80, termination_grace: 0}": ["67: .termination_grace: expected a duration above 0, found 0"],
    "{tcp: 80, periodSeconds: 5s}": ["63: .periodSeconds: expected a number of seconds of 0 or more, found '5s'"],
    "{tcp: 80, failure_threshold: 1.5}": [
        "67: .failure_threshold: expected a whole number from 0 to 2147483647, found the number 1.5"
    ],
    "{period: 5x, http: {pth: /}}": [
        "47: .period: expected a duration such as 500ms, 10s, 1m30s or 2h, found '5x'",
        "51: .http.port: expected 'port', which is required",
        "58: .http.pth: unknown key 'pth'; did you mean 'path'?",
    ],
}  # fmt: skip


@pytest.mark.parametrize("written", sorted(REFUSED))
def test_all_that_is_wrong_with_a_probe_is_told_at_once_and_in_its_place(folder: Folder, written: str) -> None:
    """config.md: "All errors of a file are reported at once"."""
    found = folder.problems(f"components:\n  a: {{command: x, probes: {{liveness: {written}}}}}\n")
    expected = [line.replace(" .", " components.a.probes.liveness.", 1) for line in REFUSED[written]]
    assert found == [f"2:{line}" for line in expected]
