"""What is done to baselines: what belongs together, what goes, what stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wfrun.errors import BaselineError
from wfrun.runner.record.models import AcceptedChange, SourceRecord
from wfrun.runner.record.upkeep import merged, pruned, replaced, with_accepted_changes

if TYPE_CHECKING:
    from tests.unit.runner.conftest import Maker
    from wfrun.runner.record.models import Baseline

A, B = Path("a.json"), Path("b.json")


def taken(make: Maker, *names: str, floor: float = 1e6) -> Baseline:
    outcomes = [make.measured({"wall_time_ns": [[floor]] * 5}, name=name) for name in names or ("flow",)]
    return make.baseline(make.record(*outcomes))


def accepted(case_id: str, reason: str = "agreed") -> AcceptedChange:
    return AcceptedChange(
        case_id=case_id,
        metric="wall_time_ns",
        commit="",
        reason=reason,
        accepted_by="A",
        accepted_at=None,
        old=1.0,
        new=2.0,
        expires=None,
    )


def test_sessions_that_are_merged_tell_how_far_they_lie_apart(make: Maker) -> None:
    both = merged([(A, taken(make)), (B, taken(make, floor=1.1e6))])

    assert len(both.sessions) == 2
    assert both.spread_between_sessions_percent["suites/load::flow"]["wall_time_ns"] == pytest.approx(6.73, abs=0.01)


def test_a_session_in_two_files_is_taken_once(make: Maker) -> None:
    baseline = taken(make)

    assert len(merged([(A, baseline), (B, baseline)]).sessions) == 1


def test_other_commits_are_not_merged(make: Maker) -> None:
    first = taken(make)
    make.source = SourceRecord(sha="f00d" * 10, branch=None, dirty=False, diff_hash=None)

    with pytest.raises(BaselineError, match=r"b.json is of commit f00df00df0, and a.json of commit c0ffeec0ff"):
        merged([(A, first), (B, taken(make))])


def test_other_machines_are_not_merged(make: Maker) -> None:
    first = taken(make)
    make.fingerprint["cpu_count"] = 64

    with pytest.raises(BaselineError, match="cpu count 64, not 2"):
        merged([(A, first), (B, taken(make))])


def test_what_was_accepted_goes_with_its_case(make: Maker) -> None:
    changes = [accepted("suites/load::flow"), accepted("suites/load::other")]
    baseline = with_accepted_changes(taken(make, "flow", "other"), changes)

    left = pruned(baseline, {"suites/load::other"}, keep_sessions=None, older_than=None)

    assert list(left.cases()) == ["suites/load::flow"]
    assert [change.case_id for change in left.accepted] == ["suites/load::flow"]


def test_a_new_decision_takes_the_place_of_the_old_one(make: Maker) -> None:
    once = with_accepted_changes(taken(make), [accepted("suites/load::flow", "first")])

    twice = with_accepted_changes(once, [accepted("suites/load::flow", "second")])

    assert [change.reason for change in twice.accepted] == ["second"]


def test_what_replaces_a_baseline_has_accepted_nothing(make: Maker) -> None:
    assert replaced(with_accepted_changes(taken(make), [accepted("suites/load::flow")])).accepted == ()
