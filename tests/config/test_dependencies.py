"""``depends_on`` in all its spellings, and what can't be; profiles."""

from __future__ import annotations

import pytest

from stigmer_pm.spec import Condition, Dependency

from .conftest import Folder

OTHERS = """
  plain: {command: x}
  probed: {command: x, probes: {readiness: {tcp: 80}}}
  pod: {command: x, probes: {livenessProbe: {tcpSocket: {port: 80}}}}
  job: {command: x, restart: never}
  task: {command: x, restart: on-failure}
  empty: {command: x, probes: {}}
"""


def dependencies_of(folder: Folder, written: str) -> tuple[Dependency, ...]:
    """What a component depends on that says this."""
    return folder.load(f"components:\n  a: {{command: x, depends_on: {written}}}\n{OTHERS}").components[0].depends_on


@pytest.mark.parametrize(
    ("name", "condition"),
    [("plain", "started"), ("probed", "ready"), ("pod", "ready"), ("job", "started"), ("empty", "started")],
)
@pytest.mark.parametrize("written", ["[{0}]", "{{{0}: }}", "{{{0}: {{}}}}", "{{{0}: {{restart: false}}}}"])
def test_without_a_condition_it_is_ready_for_a_dependency_with_probes_and_started_for_others(
    folder: Folder, name: str, condition: str, written: str
) -> None:
    """config.md: "`started` (default for a dependency without probes), `ready` (default for one with)"."""
    assert dependencies_of(folder, written.format(name)) == (Dependency(name, Condition(condition), False),)


@pytest.mark.parametrize(
    ("written", "condition"),
    [
        ("started", Condition.STARTED),
        ("ready", Condition.READY),
        ("completed", Condition.COMPLETED),
        ("service_started", Condition.STARTED),
        ("service_healthy", Condition.READY),
        ("service_completed_successfully", Condition.COMPLETED),
    ],
)
def test_conditions_are_taken_in_our_words_and_in_those_of_compose(
    folder: Folder, written: str, condition: Condition
) -> None:
    """config.md: "Compose's `service_started`, … are accepted"."""
    assert dependencies_of(folder, f"{{job: {{condition: {written}}}}}") == (Dependency("job", condition),)


def test_several_dependencies_keep_their_order_and_may_ask_for_a_restart(folder: Folder) -> None:
    """config.md: "`restart: true`: restart me when it restarts"."""
    assert dependencies_of(folder, "{task: {restart: true}, plain: {restart: false, condition: ready}}") == (
        Dependency("task", Condition.STARTED, True),
        Dependency("plain", Condition.READY, False),
    )
    assert [d.name for d in dependencies_of(folder, "[probed, job, plain]")] == ["probed", "job", "plain"]


@pytest.mark.parametrize("written", ["", "[]", "{}", "~"])
def test_no_dependencies_may_be_written_down(folder: Folder, written: str) -> None:
    """As when all of them are commented out."""
    assert dependencies_of(folder, written) == ()


@pytest.mark.parametrize("name", ["job", "task"])
def test_what_ends_may_be_waited_for(folder: Folder, name: str) -> None:
    """``never`` and ``on-failure`` let it complete."""
    assert dependencies_of(folder, f"{{{name}: {{condition: completed}}}}")[0].condition is Condition.COMPLETED


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[plain, plain]", "2:39: components.a.depends_on[1]: 'plain' stands here for the second time"),
        ("[plian]", "2:32: components.a.depends_on[0]: no component is called 'plian'; did you mean 'plain'?"),
        ("[x-y]", "2:32: components.a.depends_on[0]: no component is called 'x-y'"),
        ("{jobb: {}}", "2:32: components.a.depends_on.jobb: no component is called 'jobb'; did you mean 'job'?"),
        ("{job: {condition: healthy}}", "2:49: components.a.depends_on.job.condition: expected started, ready or "
         "completed, found 'healthy'"),
        ("{job: {condition: service_complete}}", "2:49: components.a.depends_on.job.condition: expected started, ready "
         "or completed, found 'service_complete'; did you mean 'completed'?"),
        ("{job: {condition: }}", "2:49: components.a.depends_on.job.condition: expected started, ready or completed, "
         "found nothing"),
        ("{job: {restart: yes}}", "2:47: components.a.depends_on.job.restart: expected true or false, found 'yes'; "
         "write true"),
        ("{job: ready}", "2:37: components.a.depends_on.job: expected a mapping with 'condition' or 'restart', found "
         "'ready'"),
        ("{job: {condtion: ready}}", "2:38: components.a.depends_on.job.condtion: unknown key 'condtion'; did you mean "
         "'condition'?"),
        ("{job: {required: true}}", "2:38: components.a.depends_on.job.required: unknown key 'required'; there is: "
         "condition, restart"),
        ("{plain: {condition: completed}}", "2:51: components.a.depends_on.plain.condition: 'plain' never completes, "
         "for it has 'restart: always'; give it 'on-failure' or 'never'"),
        ("[a]", "2:32: components.a.depends_on[0]: the components depend on each other in a cycle: a -> a"),
    ],
)  # fmt: skip
def test_what_a_dependency_cannot_be_is_told_at_its_place(folder: Folder, written: str, expected: str) -> None:
    """config.md: "Errors: a cycle (shown), an unknown name, `completed` of one whose policy never lets it complete"."""
    assert folder.problem(f"components:\n  a: {{command: x, depends_on: {written}}}\n{OTHERS}") == expected


def test_a_policy_that_comes_from_defaults_counts_for_completed(folder: Folder) -> None:
    """It is the policy that the dependency has in the end."""
    text = "components: {a: {command: x, restart: always, depends_on: {b: {condition: completed}}}, b: {command: y}}\n"
    folder.load("defaults: {restart: never}\n" + text)
    assert "'b' never completes" in folder.problem(text)


def test_every_cycle_is_told_once_from_its_first_component_on(folder: Folder) -> None:
    """Wherever the search comes into it."""
    found = folder.problems(
        """
        components:
          in: {command: x, depends_on: [b, d]}
          a: {command: x, depends_on: [b]}
          b: {command: x, depends_on: [c]}
          c: {command: x, depends_on: [a]}
          d: {command: x, depends_on: [e]}
          e: {command: x, depends_on: {d: }}
        """
    )
    assert found == [
        "4:32: components.a.depends_on[0]: the components depend on each other in a cycle: a -> b -> c -> a",
        "7:32: components.d.depends_on[0]: the components depend on each other in a cycle: d -> e -> d",
    ]


def test_a_diamond_is_no_cycle(folder: Folder) -> None:
    """Two ways to one component."""
    text = "components: {a: {command: x, depends_on: [b, c]}, b: {command: x, depends_on: [d]}, "
    folder.load(text + "c: {command: x, depends_on: [d]}, d: {command: x}}\n")


def test_a_long_cycle_is_shown_with_its_middle_left_out(folder: Folder) -> None:
    """A message stays one that can be read."""
    found = folder.problem(
        "components:\n" + "".join(f"  c{i}: {{command: x, depends_on: [c{(i + 1) % 1500}]}}\n" for i in range(1500))
    )
    assert found.endswith("c0 -> c1 -> c2 -> c3 -> c4 -> c5 -> c6 -> c7 -> ... 1490 more ... -> c1498 -> c1499 -> c0")


def test_components_that_all_depend_on_each_other_are_told_in_a_line_each_at_most(folder: Folder) -> None:
    """And not once for each of the many ways around."""
    names = [f"c{i}" for i in range(40)]
    text = "components:\n" + "".join(
        f"  {name}: {{command: x, depends_on: [{', '.join(n for n in names if n != name)}]}}\n" for name in names
    )
    assert 1 <= len(folder.problems(text)) <= 40


PROFILES = """
components:
  web: {command: x, depends_on: {db: {condition: started}}}
  db: {command: x}
  debugger: {command: x, profiles: [debug, all], depends_on: [tracer]}
  tracer: {command: x, profiles: [debug, trace]}
  lonely: {command: x, profiles: [lonely], depends_on: [tracer]}
"""


def test_what_is_not_chosen_is_in_the_spec_all_the_same(folder: Folder) -> None:
    """config.md: "an `up` neither starts nor stops what belongs to profiles that it doesn't choose"."""
    spec = folder.load(PROFILES)
    assert [component.name for component in spec.components] == ["web", "db", "debugger", "tracer", "lonely"]
    assert spec.components[2].profiles == ("debug", "all")


@pytest.mark.parametrize(
    ("profiles", "names"),
    [([], []), (["debug"], []), (["debug", "all"], []), (["trace"], []), (["*"], []), (["lonely", "trace"], []),
     ([], ["lonely"]), ([], ["lone*"]), ([], ["debugger"]), (["all", "trace"], []), (["nobody"], [])],
)  # fmt: skip
def test_a_choice_that_holds_all_it_needs_is_good(folder: Folder, profiles: list[str], names: list[str]) -> None:
    """By profile; or by name, which brings along what the named one needs."""
    folder.load(PROFILES, profiles=profiles, names=names)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("all", "5:63: components.debugger.depends_on[0]: 'tracer' is in the profile 'debug' or 'trace' only; "
         "choose it: --profile debug"),
        ("lonely", "7:57: components.lonely.depends_on[0]: 'tracer' is in the profile 'debug' or 'trace' only; "
         "choose it: --profile debug"),
    ],
)  # fmt: skip
def test_a_dependency_in_a_profile_that_is_not_chosen_is_told_with_the_option(
    folder: Folder, profile: str, expected: str
) -> None:
    """config.md: "one in a profile that isn't chosen (named)"."""
    assert folder.problems(PROFILES, profiles=[profile]) == [expected]


def test_the_rest_of_a_file_is_checked_in_profiles_that_are_not_chosen(folder: Folder) -> None:
    """A file with any error changes nothing at all."""
    found = folder.problem(
        "components: {a: {command: x}, b: {command: y, profiles: [p], depends_on: [zzz], nice: 1}}\n"
    )
    assert "no component is called 'zzz'" in found


@pytest.mark.parametrize("written", ["debug", "[debug]", "[debug, 5]", "$P"])
def test_profiles_are_a_list_or_one(folder: Folder, written: str) -> None:
    """As all lists of names are."""
    assert folder.component(f"command: x, profiles: {written}", {"P": "debug"}).profiles[0] == "debug"
