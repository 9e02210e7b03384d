"""Many outcomes, of which most say little."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from wfrun.runner.child.messages import Status
from wfrun.runner.run.outcomes import CapturedOutput, Outcome, Outcomes

if TYPE_CHECKING:
    from tests.unit.runner.conftest import Maker


@pytest.fixture
def passed(make: Maker) -> Outcome:
    return make.plain()


def test_what_was_added_comes_out_again_in_order(make: Maker) -> None:
    added = [make.plain(), make.plain(Status.FAILED, message="no"), make.plain(duration_s=0.5), make.plain(items=3)]

    outcomes = Outcomes(added[:2])
    outcomes.extend(added[2:])

    assert list(outcomes) == [outcomes[number] for number in range(4)] == added
    assert outcomes[1:3] == added[1:3]
    assert list(outcomes.cases()) == [outcome.case for outcome in added]
    assert outcomes.told == [added[1], added[3]]
    assert outcomes.counts() == {Status.PASSED: 3, Status.FAILED: 1}


@pytest.mark.parametrize(
    "said",
    [
        {"status": Status.SKIPPED},
        {"message": "why"},
        {"details": "where"},
        {"output": CapturedOutput("printed")},
        {"output": CapturedOutput("", 7)},
        {"items": 1},
        {"notes": {"name": 0}},
        {"unfinished_teardowns": ("database",)},
        {"findings": ("slow callback",)},
        {"warnings": ("undone",)},
        {"duration_s": 31.0},
    ],
)
def test_nothing_that_an_outcome_says_is_lost(passed: Outcome, said: dict[str, object]) -> None:
    telling = replace(passed, **said)  # type: ignore[arg-type]  # each is a field's

    assert passed.plain
    assert not telling.plain
    assert list(Outcomes([passed, telling])) == [passed, telling]


def test_plain_outcomes_are_not_held(passed: Outcome) -> None:
    """There may be a million of them."""
    assert Outcomes([passed] * 1000)[0] is not passed
    assert Outcomes([passed] * 1000).told == []
