"""What keeps a baseline useful: comparing files, what fails, accepting, pruning, merging, replacing.

One session of each speed is measured; all else works on its files.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

ID: Final = "work::fixed_work"
THRESHOLDS: Final = ["--threshold", "wall_time_ns=80", "--threshold", "total_time_ns=80"]
WORK: Final = """
@suite.benchmark("Fixed work")
def fixed_work():
    # What takes the same time however busy the machine is.
    time.sleep(0.02 * float(os.environ.get("SLOWER", "1")))
"""


@pytest.fixture(scope="module")
def measured(module_project: Project) -> Project:
    """A project with the baseline ``main``, its record, and the record of a session that was 40 % slower."""
    module_project.write({"suites/suite_work.py": WORK})
    first = module_project.run("--performance", "--baseline", "main", "--json", "fast.json")
    slower = module_project.run("--performance", "--json", "slow.json", env={"SLOWER": "1.4"})
    assert (first.code, slower.code) == (0, 0), first.text + slower.text
    return module_project


def baseline(measured: Project, name: str, **changes: Any) -> dict[str, Any]:
    """Write a baseline that differs from the measured one, and return it."""
    value = {**copy.deepcopy(measured.json("baselines/main.json")), **changes}
    measured.write({f"baselines/{name}.json": json.dumps(value)})
    return value


def with_cases(measured: Project, name: str, *changes: dict[str, Any]) -> None:
    """Write a baseline with a case for each of ``changes``, which its case is changed by."""
    value = measured.json("baselines/main.json")
    (session,) = value["sessions"]
    (case,) = session["cases"]
    baseline(measured, name, sessions=[{**session, "cases": [{**case, **each} for each in changes]}])


# Comparing files


@pytest.mark.parametrize("old", ["main", "fast.json"])
def test_a_slower_record_is_exit_code_3_whatever_the_old_file_is(measured: Project, old: str) -> None:
    ran = measured.run("compare", old, "slow.json", "--json", "out.json", "--markdown", "out.md")

    assert ran.code == 3
    assert "regressed" in ran.out
    assert "is not confirmed: comparing files measures nothing again" in ran.out
    written = measured.json("out.json")
    assert (written["format"], written["exit_code"]) == ("wfrun-comparison", 3)
    assert "wall_time_ns" in [row["metric"] for row in written["rows"] if row["fails"]]
    assert "| Fixed work | wall\\_time\\_ns |" in measured.read("out.md")


def test_a_baseline_may_be_the_new_file(measured: Project) -> None:
    ran = measured.run("compare", "slow.json", "main")

    assert ran.code == 0
    assert "improved" in ran.out


def test_the_same_file_twice_is_the_same(measured: Project) -> None:
    ran = measured.run("compare", "main", "fast.json", "--json", "-")

    assert ran.code == 0
    assert json.loads(ran.out)["exit_code"] == 0
    assert "regressed" not in ran.err


def test_a_threshold_decides(measured: Project) -> None:
    assert measured.run("compare", "main", "slow.json", *THRESHOLDS).code == 0


def test_what_has_no_figures_cannot_be_compared(measured: Project) -> None:
    measured.write({"text.json": "no JSON"})

    assert measured.run("compare", "main", "nowhere/out.json").code == 2
    assert "is not even JSON" in measured.run("compare", "main", "text.json").err
    assert "did you mean" in measured.run("compare", "mian", "slow.json").err


# What fails


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [("regressed", 3), ("none", 0), ("missing", 0), ("missing,regressed", 3), ("improved", 2), ("none,new", 2)],
)
def test_what_fails_is_chosen(measured: Project, fail_on: str, code: int) -> None:
    assert measured.run("compare", "main", "slow.json", "--fail-on", fail_on).code == code


def test_what_is_missing_new_or_changed_fails_when_asked(measured: Project) -> None:
    with_cases(measured, "wider", {"source_hash": "other"}, {"id": "work::gone", "title": "Gone"})

    wide = measured.run("compare", "wider", "fast.json")
    assert wide.code == 0
    assert "(case changed)" in wide.out
    assert "missing" in wide.out
    missing = measured.run("compare", "wider", "fast.json", "--fail-on", "missing")
    assert missing.code == 3
    assert "as --fail-on asks: missing" in missing.out
    assert measured.run("compare", "wider", "fast.json", "--fail-on", "changed").code == 3
    assert measured.run("compare", "main", "wider", "--fail-on", "new").code == 3
    assert measured.run("compare", "wider", "fast.json", "--fail-on", "new,inconclusive").code == 0


def test_another_machines_times_fail_when_asked(measured: Project) -> None:
    fingerprint = {**measured.json("baselines/main.json")["fingerprint"], "cpu_model": "Abacus 2000"}
    baseline(measured, "elsewhere", fingerprint=fingerprint)

    assert measured.run("compare", "elsewhere", "slow.json").code == 0
    ran = measured.run("compare", "elsewhere", "slow.json", "--fail-on", "not-comparable")
    assert ran.code == 3
    assert "Abacus 2000" in ran.out


def test_a_session_fails_for_what_is_named(measured: Project) -> None:
    """A session that compares goes by the same list as files do."""
    with_cases(measured, "gone", {}, {"id": "work::gone", "title": "Gone"})

    ran = measured.run("--performance", "--compare", "gone", "--fail-on", "missing")

    assert ran.code == 3
    assert "as --fail-on asks: missing" in ran.out


def test_an_unknown_reason_names_the_nearest(measured: Project) -> None:
    ran = measured.run("compare", "main", "slow.json", "--fail-on", "regresed")

    assert ran.code == 2
    assert "did you mean regressed?" in ran.err


def test_what_fails_needs_a_comparison(measured: Project) -> None:
    assert "add --compare FILE" in measured.run("--fail-on", "missing").err


# Accepting


def accepting(measured: Project, name: str, *options: str) -> str:
    """Accept the slower record in a baseline of this name, and return what was said."""
    baseline(measured, name)
    ran = measured.run("baseline", "accept", ID, "--baseline", name, "--from", "slow.json", *options)
    assert ran.code == 0, ran.text
    return ran.out


def test_an_accepted_change_fails_nothing_and_says_why(measured: Project) -> None:
    said = accepting(measured, "accepted", "--reason", "it checks every item", "--expires", "30d")
    ran = measured.run("compare", "accepted", "slow.json")

    assert "wall_time_ns of work::fixed_work may be" in said
    assert ran.code == 0
    assert "regressed (accepted)" in ran.out
    assert "it checks every item" in ran.out
    accepted = measured.json("baselines/accepted.json")["accepted"]
    assert "wall_time_ns" in [change["metric"] for change in accepted]
    assert all(change["old"] < change["new"] and change["expires"] is not None for change in accepted)


def test_what_is_worse_than_accepted_fails(measured: Project) -> None:
    accepting(measured, "little", "--reason", "a little slower")
    value = measured.json("baselines/little.json")
    changes = [{**change, "new": change["old"] * 1.1} for change in value["accepted"]]
    baseline(measured, "little", accepted=changes)

    ran = measured.run("compare", "little", "slow.json")

    assert ran.code == 3
    assert "worse than what was accepted by more than the threshold" in ran.out


def test_what_was_accepted_expires(measured: Project) -> None:
    accepting(measured, "expired", "--reason", "until the release")
    accepted = measured.json("baselines/expired.json")["accepted"]
    past = [{**change, "expires": "2020-01-01T00:00:00Z"} for change in accepted]
    baseline(measured, "expired", accepted=past)

    ran = measured.run("compare", "expired", "slow.json")

    assert ran.code == 3
    assert "expired on 2020-01-01, so it counts again: until the release" in ran.out
    assert "EXPIRED, counts again" in measured.run("baseline", "show", "expired").out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--reason", " "], "--reason is empty"),
        (["--reason", "x", "--expires", "2020-01-01"], "has passed already"),
        (["--reason", "x", "--expires", "soon"], "--expires takes a date such as"),
        (["--reason", "x", "--metric", "wall_tim_ns"], "has no metric 'wall_tim_ns'; there are wall_time_ns"),
        (["--reason", "x", "--metric", "wall_time_ns", "--from", "main"], "did not get worse"),
        (["--reason", "x", "--from", "fast.json"], "has no regression to accept (wall_time_ns same"),
        (["--reason", "x", "--baseline", "mian"], "did you mean"),
    ],
)
def test_what_cannot_be_accepted_is_refused(measured: Project, options: list[str], message: str) -> None:
    before = measured.read("baselines/main.json")

    ran = measured.run("baseline", "accept", ID, "--baseline", "main", "--from", "slow.json", *options)

    assert ran.code == 2
    assert message in ran.err
    assert measured.read("baselines/main.json") == before


def test_a_case_that_is_not_there_cannot_be_accepted(measured: Project) -> None:
    ran = measured.run("baseline", "accept", "work::fixed", "--baseline", "main", "--reason", "x")

    assert ran.code == 2
    assert f"there is {ID}" in ran.err


def test_one_metric_is_accepted_from_the_last_session_into_the_only_baseline(project: Project) -> None:
    project.write({"suites/suite_work.py": WORK})
    assert project.run("--performance", "--baseline", "main").code == 0
    assert project.run("--performance", env={"SLOWER": "1.4"}).code == 0

    ran = project.run("baseline", "accept", ID, "--reason", "agreed", "--metric", "wall_time_ns")

    assert ran.code == 0
    assert [change["metric"] for change in project.json("baselines/main.json")["accepted"]] == ["wall_time_ns"]


# Showing


def test_a_baseline_is_shown(measured: Project) -> None:
    ran = measured.run("baseline", "show", "main")

    assert ran.code == 0
    assert "main.json: 1 case in 1 session" in ran.out
    assert ID in ran.out
    assert "cpu_time_ns" not in ran.out
    assert "cpu_time_ns" in measured.run("baseline", "show", "main", "--verbose").out


def test_a_baseline_of_the_first_form_is_read(measured: Project) -> None:
    decision = {"commit": "c0ffee", "reason": "agreed", "accepted_by": "A", "old": 1e6, "new": 9e9, "expires": None}
    changes = [{"case_id": ID, "metric": metric, **decision} for metric in ("wall_time_ns", "total_time_ns")]
    baseline(measured, "first", schema_version=1, accepted=changes)

    shown = measured.run("baseline", "show", "first")
    assert (shown.code, "agreed" in shown.out) == (0, True)
    assert measured.run("compare", "first", "slow.json").code == 0
    assert measured.run("baseline", "prune", "first", "--keep", "1").code == 0
    assert measured.json("baselines/first.json")["schema_version"] == 2


# Pruning, merging, replacing


def test_cases_that_are_gone_are_pruned(measured: Project) -> None:
    with_cases(measured, "old", {}, {"id": "work::gone", "title": "Gone"}, {"id": "work::other", "title": "Other"})
    before = measured.read("baselines/old.json")

    dry = measured.run("baseline", "prune", "old", "--dry-run")
    assert (dry.code, measured.read("baselines/old.json")) == (0, before)
    assert "drops the case work::gone" in dry.out
    assert "nothing was written (--dry-run)" in dry.out
    named = measured.run("baseline", "prune", "old", "--pattern", "gone")
    assert "work::other" not in named.out
    assert measured.run("baseline", "prune", "old", "--suites", "suites").code == 0
    kept = measured.json("baselines/old.json")["sessions"][0]["cases"]
    assert [case["id"] for case in kept] == [ID]
    assert "no case would be left" in measured.run("baseline", "prune", "old", "--case", ID).err
    assert "has no case 'nix'" in measured.run("baseline", "prune", "old", "--case", "nix").err


def test_old_sessions_are_pruned(measured: Project) -> None:
    (session,) = measured.json("baselines/main.json")["sessions"]
    sessions = [{**session, "created": f"20{year}-01-01T00:00:00Z"} for year in (20, 21, 22)] + [session]
    baseline(measured, "long", sessions=sessions)

    assert measured.run("baseline", "prune", "long", "--older-than", "2020-06-01").code == 0
    assert len(measured.json("baselines/long.json")["sessions"]) == 3
    assert measured.run("baseline", "prune", "long", "--keep", "2").code == 0
    assert len(measured.json("baselines/long.json")["sessions"]) == 2
    assert "every session is older" in measured.run("baseline", "prune", "long", "--older-than", "2999-01-01").err


def test_sessions_of_one_commit_and_machine_are_merged(measured: Project) -> None:
    (session,) = measured.json("baselines/main.json")["sessions"]
    value = baseline(measured, "second", sessions=[{**session, "created": "2020-01-01T00:00:00Z"}])
    baseline(measured, "stranger", fingerprint={**value["fingerprint"], "cpu_model": "Abacus 2000"})

    assert measured.run("baseline", "merge", "main", "second", "-o", "both", "--dry-run").code == 0
    assert measured.read("baselines/both.json") == ""
    assert measured.run("baseline", "merge", "main", "second", "--output", "both").code == 0
    both = measured.json("baselines/both.json")
    assert len(both["sessions"]) == 2
    assert both["spread_between_sessions_percent"][ID]["wall_time_ns"] == 0
    refused = measured.run("baseline", "merge", "main", "stranger", "-o", "both")
    assert (refused.code, "is not of the same kind of machine" in refused.err) == (2, True)
    assert measured.json("baselines/both.json") == both
    assert "name at least two" in measured.run("baseline", "merge", "main", "-o", "both").err


def test_a_records_session_takes_the_place_of_all(measured: Project) -> None:
    accepting(measured, "renewed", "--reason", "agreed")

    dry = measured.run("baseline", "replace", "renewed", "slow.json", "--dry-run")
    assert dry.code == 0
    assert "forgets what was accepted of work::fixed_work, wall_time_ns: agreed" in dry.out
    assert measured.run("compare", "renewed", "fast.json").out.count("improved") == 0
    assert measured.run("baseline", "replace", "renewed", "slow.json").code == 0
    assert measured.run("compare", "renewed", "slow.json").code == 0
    assert measured.json("baselines/renewed.json")["accepted"] == []
    assert "improved" in measured.run("compare", "renewed", "fast.json").out


def test_a_record_that_failed_replaces_nothing(measured: Project) -> None:
    record = measured.json("slow.json")
    record["outcomes"][0]["status"] = "failed"
    measured.write({"failed.json": json.dumps(record)})
    before = measured.read("baselines/main.json")

    ran = measured.run("baseline", "replace", "main", "failed.json")

    assert ran.code == 2
    assert "is not fit to be judged against: work::fixed_work failed in it" in ran.err
    assert measured.read("baselines/main.json") == before
