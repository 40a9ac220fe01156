"""How a component is run and restarted: users, limits, policies, backoff, signals, exit statuses, log paths."""

from __future__ import annotations

import signal

import pytest

from stigmer_pm.spec import Backoff, Limits, RestartPolicy, SuccessExits

from .conftest import Folder


@pytest.mark.parametrize(
    ("field", "value"),
    [("user", "www"), ("user", "1000"), ("user", "'0'"), ("group", "www-data"), ("group", "33"), ("user", "0x10")],
)
def test_users_and_groups_are_names_or_numbers_taken_as_written(folder: Folder, field: str, value: str) -> None:
    """Who they are is looked up when the component starts."""
    assert getattr(folder.component(f"command: x, {field}: {value}").process, field) == value.strip("'")


@pytest.mark.parametrize(
    ("written", "mask"),
    [("022", 0o022), ("'022'", 0o022), ("22", 0o022), ("0", 0), ("0o27", 0o027), ("'0077'", 0o077), ("777", 0o777)],
)
def test_a_umask_is_octal_however_it_is_written(folder: Folder, written: str, mask: int) -> None:
    """As in a shell: YAML 1.2 reads ``022`` as 22, and nobody means that."""
    process = folder.component(f"command: x, umask: {written}").process
    assert process is not None
    assert process.umask == mask


@pytest.mark.parametrize("nice", [-20, -1, 0, 19])
def test_nice_is_between_the_bounds_of_the_kernel(folder: Folder, nice: int) -> None:
    """-20 to 19."""
    process = folder.component(f"command: x, nice: {nice}").process
    assert process is not None
    assert process.nice == nice


@pytest.mark.parametrize(
    ("written", "limits"),
    [
        ("{nofile: 65536}", Limits(nofile=65536)),
        ("{nproc: 0}", Limits(nproc=0)),
        ("{core: 1GiB, nofile: unlimited}", Limits(nofile=-1, core=1 << 30)),
        ("{core: unlimited}", Limits(core=-1)),
        ("{core: 0}", Limits(core=0)),
        ("{}", Limits()),
        ("", Limits()),
    ],
)
def test_limits_are_numbers_sizes_or_unlimited(folder: Folder, written: str, limits: Limits) -> None:
    """What is not given stays as the supervisor has it."""
    process = folder.component(f"command: x, limits: {written}").process
    assert process is not None
    assert process.limits == limits


@pytest.mark.parametrize(
    ("written", "policy", "max_restarts"),
    [
        ("always", RestartPolicy.ALWAYS, 10),
        ("unless-stopped", RestartPolicy.UNLESS_STOPPED, 10),
        ("never", RestartPolicy.NEVER, 10),
        ("no", RestartPolicy.NEVER, 10),
        ("'no'", RestartPolicy.NEVER, 10),
        ("on-failure", RestartPolicy.ON_FAILURE, 10),
        ("on-failure:0", RestartPolicy.ON_FAILURE, 0),
        ("on-failure:25", RestartPolicy.ON_FAILURE, 25),
        ("on-failure, max_restarts: 5", RestartPolicy.ON_FAILURE, 5),
        ("on-failure:5, max_restarts: 5", RestartPolicy.ON_FAILURE, 5),
        ("always, max_restarts: 0", RestartPolicy.ALWAYS, 0),
        ("always, max_restarts: unlimited", RestartPolicy.ALWAYS, None),
    ],
)
def test_restart_policies_are_those_of_docker(
    folder: Folder, written: str, policy: RestartPolicy, max_restarts: int | None
) -> None:
    """config.md: "`always` · `on-failure[:N]` · `unless-stopped` · `never` (also `no`)"."""
    spec = folder.component(f"command: x, restart: {written}")
    assert (spec.restart, spec.max_restarts) == (policy, max_restarts)


def test_two_counts_that_differ_are_refused(folder: Folder) -> None:
    """Also when one of them is ``unlimited``."""
    found = folder.problem("components: {a: {command: x, restart: 'on-failure:3', max_restarts: unlimited}}\n")
    assert found.endswith("max_restarts: 'restart: on-failure:3' says 3; give only one of them")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("5s", Backoff(5.0, 1.0, 5.0, 0.0)),
        ("0", Backoff(0.0, 1.0, 0.0, 0.0)),
        ("2m", Backoff(120.0, 1.0, 120.0, 0.0)),
        ("{}", Backoff(1.0, 2.0, 60.0, 0.0)),
        ("", Backoff(1.0, 2.0, 60.0, 0.0)),
        ("{initial: 500ms, factor: 1, max: 1d, jitter: 1}", Backoff(0.5, 1.0, 86400.0, 1.0)),
    ],
)
def test_backoff_is_a_mapping_or_a_constant(folder: Folder, written: str, expected: Backoff) -> None:
    """config.md: "`backoff: 5s` is a constant 5 s"."""
    assert folder.component(f"command: x, backoff: {written}").backoff == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[0]", SuccessExits((0,), ())),
        ("[]", SuccessExits((), ())),
        ("3", SuccessExits((3,), ())),
        ("[0, 143, 0]", SuccessExits((0, 143), ())),
        ("SIGTERM", SuccessExits((), (15,))),
        ("[0, term, SIGINT, INT]", SuccessExits((0,), (15, 2))),
        ("[255]", SuccessExits((255,), ())),
    ],
)
def test_success_is_a_list_of_statuses_and_signals(folder: Folder, written: str, expected: SuccessExits) -> None:
    """config.md: "list of ints and signal names". What is given takes the place of the default."""
    assert folder.component(f"command: x, success_exit_codes: {written}").success == expected


@pytest.mark.parametrize("written", ["'15'", "-1", "256", "1.5", "true", "", "SIGFOO", "{}", "[[0]]"])
def test_what_is_neither_a_status_nor_a_signal_is_refused(folder: Folder, written: str) -> None:
    """A number in quotation marks would be the status or the signal, so it is neither."""
    found = folder.problem(f"components: {{a: {{command: x, success_exit_codes: [{written or '~'}]}}}}\n")
    assert "success_exit_codes[0]: expected an exit status from 0 to 255, or the name of a signal, found" in found


@pytest.mark.parametrize(
    ("written", "number"),
    [("SIGTERM", 15), ("TERM", 15), ("sigterm", 15), ("int", 2), ("9", 9), ("'9'", 9), ("USR1", signal.SIGUSR1),
     ("SIGRTMIN", signal.SIGRTMIN)],
)  # fmt: skip
def test_a_stop_signal_is_a_name_with_or_without_sig(folder: Folder, written: str, number: int) -> None:
    """Or its number."""
    assert folder.component(f"command: x, stop_signal: {written}").stop_signal == number


@pytest.mark.parametrize("written", ["0", "99", "SIG", "''", "true", "1.5", "[TERM]", "~", "'" + "9" * 5000 + "'"])
def test_what_is_no_signal_is_refused(folder: Folder, written: str) -> None:
    """In one line."""
    found = folder.problem(f"components: {{a: {{command: x, stop_signal: {written}}}}}\n")
    assert "stop_signal: expected the name of a signal such as SIGTERM, found" in found


@pytest.mark.parametrize("name", ["min_uptime", "restart_window", "stop_timeout"])
@pytest.mark.parametrize(
    ("written", "seconds"), [("500ms", 0.5), ("10s", 10.0), ("1m30s", 90.0), ("1d", 86400.0), ("7", 7.0), ("'7'", 7.0)]
)
def test_times_are_durations_or_seconds(folder: Folder, name: str, written: str, seconds: float) -> None:
    """config.md: "or a number of seconds"."""
    assert getattr(folder.component(f"command: x, {name}: {written}"), name) == seconds


def test_a_stop_timeout_may_be_zero(folder: Folder) -> None:
    """It is then killed at once."""
    assert folder.component("command: x, stop_timeout: 0").stop_timeout == 0.0


@pytest.mark.parametrize(
    ("written", "path"),
    [("", ".stigmer/logs/a.log"), ("{}", ".stigmer/logs/a.log"), ("{max_size: 0}", ".stigmer/logs/a.log"),
     ("l.log", "l.log"), ("{path: d/l.log}", "d/l.log"), ("./d//../l.log", "l.log"), ("{path: l, max_size: 0}", "l")],
)  # fmt: skip
def test_the_log_is_a_path_or_a_mapping(folder: Folder, written: str, path: str) -> None:
    """config.md: "default `.stigmer/logs/NAME.log`"."""
    assert folder.component(f"command: x, log: {written}").log == str(folder.path / path)


def test_the_log_lies_in_the_state_folder_wherever_that_is(folder: Folder) -> None:
    """When nothing else is said."""
    spec = folder.load("state_dir: /var/lib/shop\ncomponents: {web: {command: x}, box: {image: i}}\n")
    assert [c.log for c in spec.components] == ["/var/lib/shop/logs/web.log", "/var/lib/shop/logs/box.log"]


@pytest.mark.parametrize("other", ["l.log", "./l.log", "x/../l.log", "{path: l.log}", "$L", "~/l.log"])
def test_two_components_on_one_log_are_an_error(folder: Folder, other: str) -> None:
    """config.md: "two components on one path are an error", however it is written, and whatever they are."""
    environ = {"L": "l.log", "HOME": str(folder.path)}
    text = f"components:\n  a: {{command: x, log: l.log}}\n  b: {{image: i, log: {other}}}\n"
    assert folder.problem(text, environ).endswith(
        f"components.b.log: 'a' writes to the same log, {folder.path}/l.log; give each its own"
    )


def test_a_log_on_the_default_path_of_another_component_is_an_error(folder: Folder) -> None:
    """The other one says nothing of its log, and is named."""
    text = "components: {a: {command: x, log: .stigmer/logs/b.log}, b: {command: y}}\n"
    assert "components.b" in folder.problem(text)
    assert "'a' writes to the same log" in folder.problem(text)
