"""Which cases a command line takes, in which order, and what it says of those it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

WORKFLOWS: Final = """
@suite.case("Complete workflow", tags=("smoke",))
def complete(): pass

@suite.case("Memory of a complete workflow", tags=("slow",))
def memory(): pass

@suite.case("Retry and give up", kinds=("unit",))
def retry(): pass

@suite.benchmark("Load Testing")
def load(): pass
"""
SMALL: Final = "@suite.case()\ndef one(): pass\n@suite.case()\ndef two(): pass\n"


@pytest.fixture
def workflows(project: Project) -> Project:
    return project.write({"suites/shop/suite_workflows.py": WORKFLOWS, "suites/suite_other.py": SMALL})


def listed(project: Project, *arguments: str) -> list[str]:
    """The ids that are listed, without what comes before the function's name."""
    ran = project.run("list", "--json", *arguments)
    assert ran.code == 0, ran.text
    project.write({"listed.json": ran.out})
    return [case["id"].partition("::")[2] for case in project.json("listed.json")["cases"]]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--pattern", "complete"], ["complete", "memory"]),
        (["--pattern", "complete and not memory"], ["complete"]),
        (["-k", "smoke or slow"], ["complete", "memory"]),
        (["-k", "(smoke or slow) and memory of"], ["memory"]),
        (["-k", '"retry and give"'], ["retry"]),
        (["-k", "shop/suite_workflows.py", "-k", "load testing"], ["load"]),
        (["--exclude", "workflow"], ["one", "two"]),
        (["--exclude", "complete", "--exclude", "things · o or load"], ["retry", "two"]),
        (["--category", "unit", "--category", "performance"], ["retry", "load"]),
        (["--performance", "--category", "unit"], ["retry", "load"]),
    ],
    ids=" ".join,
)
def test_patterns_and_categories_choose(workflows: Project, arguments: list[str], names: list[str]) -> None:
    assert listed(workflows, *arguments) == names


def test_tiers_choose_and_are_a_reason(project: Project) -> None:
    both = '@suite.case(tier="slow")\ndef long(): pass\n@suite.case(tier="fast")\ndef short(): pass\n'
    project.write({"suites/suite_a.py": both})
    why = project.run("list", "--why", "--tier", "fast")
    nothing = project.run("--tier", "infrastructure")

    assert listed(project, "--tier", "fast") == ["short"]
    assert listed(project, "--tier", "fast", "--tier", "slow") == ["long", "short"]
    assert "Things · Long  tier slow not asked for" in why.out
    assert nothing.code == 4
    assert "2 cases would match, but of tier fast, slow; add --tier fast --tier slow" in nothing.err


def test_what_is_excluded_does_not_run(workflows: Project) -> None:
    ran = workflows.run("--exclude", "complete", "--category", "e2e", "--seed", "1")

    assert ran.code == 0
    assert "2 passed · 4 not selected" in ran.out


def test_a_pattern_that_cannot_be_read_shows_where(workflows: Project) -> None:
    ran = workflows.run("--pattern", "complete and (memory or")

    assert ran.code == 2
    assert ran.out == ""
    assert ran.err == (
        "wfrun: --pattern: a phrase is missing after 'or'\n  complete and (memory or\n                         ^\n"
    )


def test_a_random_order_is_shuffled_by_the_seed_and_keeps_files_whole(project: Project) -> None:
    ten = "".join(f"@suite.case()\ndef case_{number}(): pass\n" for number in range(10))
    project.write({"suites/suite_a.py": ten, "suites/suite_b.py": ten})

    def ran(*arguments: str) -> list[str]:
        result = project.run("--workers", "1", "--json", "record.json", *arguments)
        assert result.code == 0
        assert ("random order" in result.out) == ("random" in arguments)
        return [outcome["id"] for outcome in project.json("record.json")["outcomes"]]

    as_in_files = ran("--seed", "3")
    shuffled = ran("--seed", "3", "--order", "random")

    assert as_in_files == sorted(as_in_files) == sorted(shuffled)
    assert shuffled != as_in_files
    assert len({case_id[0] for case_id in shuffled[:10]}) == 1
    assert ran("--seed", "3", "--order", "random") == shuffled
    assert ran("--seed", "4", "--order", "random") != shuffled


def test_shards_are_together_everything_and_share_nothing(project: Project) -> None:
    project.write({f"suites/suite_{name}.py": SMALL for name in "abcde"})

    shards = [listed(project, "--shard", f"{number}/3") for number in (1, 2, 3)]
    ran = project.run("--shard", "2/3")

    assert [len(shard) for shard in shards] == [4, 4, 2]
    assert [name for shard in shards for name in shard].count("one") == 5
    assert ran.code == 0
    assert "4 of 10 cases · shard 2/3" in ran.out


@pytest.mark.parametrize(
    ("shard", "message"),
    [
        ("5/2", "--shard 5/2: there is no shard 5/2; they are 1/2 to 2/2"),
        ("0/2", "--shard 0/2: there is no shard 0/2; they are 1/2 to 2/2"),
        ("two", "--shard 'two' is not of the form I/N, such as 1/3"),
    ],
)
def test_a_shard_that_cannot_be_is_refused(workflows: Project, shard: str, message: str) -> None:
    ran = workflows.run("--shard", shard)

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_shard_without_cases_is_no_green_session(workflows: Project) -> None:
    ran = workflows.run("--shard", "3/3")

    assert ran.code == 4
    assert "shard 3/3 is empty: the 5 chosen cases are in 2 suite files" in ran.err


def test_the_list_tells_why_each_case_is_left_out(workflows: Project) -> None:
    arguments = ("list", "--why", "--e2e", "--performance", "--exclude", "slow", "-k", "not give", "--shard", "1/2")
    ran = workflows.run(*arguments)
    as_json = workflows.run(*arguments, "--json")

    assert ran.code == as_json.code == 0
    workflows.write({"why.json": as_json.out})
    reasons = {left_out["title"]: left_out["reason"] for left_out in workflows.json("why.json")["deselected"]}
    assert reasons == {
        "Memory of a complete workflow": 'excluded by "slow"',
        "Retry and give up": 'does not match pattern "not give"',
        "Complete workflow": "other shard 2/2",
        "Load Testing": "other shard 2/2",
    }
    for title, reason in reasons.items():
        assert any(title in line and reason in line for line in ran.out.splitlines())
    assert "Left out" not in workflows.run("list", "--e2e").out


def test_reasons_are_told_when_nothing_is_left(workflows: Project) -> None:
    ran = workflows.run("list", "--why", "--stress")

    assert ran.code == 4
    assert "kind performance not asked for" in ran.out
    assert "0 of 6 cases" in ran.out
