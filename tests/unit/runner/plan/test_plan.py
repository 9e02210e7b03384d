from __future__ import annotations

from dataclasses import replace

import pytest

from wfrun.authoring.info import CaseInfo, Kind, Tier
from wfrun.errors import NothingSelected
from wfrun.runner.plan.plan import case_seed, make_plan, matches_pattern
from wfrun.runner.plan.planned import Plan


def case(name: str, *kinds: Kind, tags: tuple[str, ...] = (), timeout_s: float | None = None) -> CaseInfo:
    return CaseInfo(
        id=f"shop/load_tests::{name}",
        title=name.replace("_", " ").capitalize(),
        suite_title="Load Testing",
        kinds=kinds or (Kind.E2E,),
        tags=tags,
        file="/suites/shop/suite_load_tests.py",
        line=1,
        parameters={},
        timeout_s=timeout_s,
        own_process=False,
        virtual_time=False,
        pinned=True,
        source_hash="0",
    )


CASES = (
    case("checks"),
    case("both", Kind.E2E, Kind.PERFORMANCE, tags=("slow", "db")),
    case("speed", Kind.PERFORMANCE, tags=("db",), timeout_s=5),
    case("breaks", Kind.STRESS),
)


def plan(*kinds: Kind, pattern: str | None = None, tags: tuple[str, ...] = ()) -> Plan:
    return make_plan(CASES, kinds=kinds, pattern=pattern, tags=tags, seed=1, timeout_s=60)


def chosen(made: Plan) -> list[tuple[str, bool]]:
    return [(planned.info.id.partition("::")[2], planned.measured) for planned in made.cases]


def test_a_case_of_two_kinds_is_measured_only_when_asked_for_as_such() -> None:
    assert chosen(plan(Kind.E2E)) == [("checks", False), ("both", False)]
    assert chosen(plan(Kind.PERFORMANCE)) == [("both", True), ("speed", True)]
    assert chosen(plan(Kind.E2E, Kind.PERFORMANCE)) == [("checks", False), ("both", True), ("speed", True)]


def test_every_tag_is_needed() -> None:
    assert chosen(plan(*Kind, tags=("db",))) == [("both", True), ("speed", True)]
    assert chosen(plan(*Kind, tags=("db", "slow"))) == [("both", True)]


@pytest.mark.parametrize("pattern", ["load testing", "LOAD_TESTS", "testing · both", "slow", "shop/load", "BOTH"])
def test_a_pattern_is_found_in_ids_titles_and_tags(pattern: str) -> None:
    assert matches_pattern(CASES[1], pattern)


def test_a_pattern_is_one_phrase() -> None:
    assert not matches_pattern(CASES[1], "testing load")


def test_the_authors_own_limit_beats_the_sessions() -> None:
    assert [planned.timeout_s for planned in plan(Kind.PERFORMANCE).cases] == [60, 5]


def test_a_named_tier_is_the_limit_where_neither_case_nor_session_has_one() -> None:
    named = replace(case("named"), tier=Tier.SLOW, tier_named=True)
    cases = (case("unnamed"), named, replace(named, id="a::own", timeout_s=5))

    def limits(session_s: float | None) -> list[float]:
        made = make_plan(cases, kinds=[Kind.E2E], pattern=None, tags=(), seed=1, timeout_s=session_s)
        return [planned.timeout_s for planned in made.cases]

    assert limits(None) == [60, 45 * 60, 5]
    assert limits(7) == [7, 7, 5]


def test_a_cases_seed_depends_on_the_session_and_the_id_alone() -> None:
    alone = plan(Kind.E2E, pattern="both").cases[0].seed

    assert alone == plan(Kind.E2E).cases[1].seed == case_seed(1, CASES[1].id)
    assert alone != case_seed(2, CASES[1].id)
    assert 0 <= alone < 2**63


def test_a_measured_case_does_the_same_work_in_every_session_unless_told_otherwise() -> None:
    def seeds(measured_seed: int = 0) -> list[int]:
        made = make_plan(
            CASES, kinds={Kind.PERFORMANCE}, pattern=None, tags=(), seed=5, timeout_s=1, measured_seed=measured_seed
        )
        return [planned.seed for planned in made.cases]

    assert seeds() == [case_seed(0, case.id) for case in CASES[1:3]]
    assert seeds(measured_seed=5) == [case_seed(5, case.id) for case in CASES[1:3]]


def test_a_session_that_measures_nothing_checks_what_it_would_measure() -> None:
    made = make_plan(CASES, kinds={Kind.PERFORMANCE}, pattern=None, tags=(), seed=5, timeout_s=1, measure=False)

    assert made.cases
    assert not any(case.measured for case in made.cases)


@pytest.mark.parametrize(
    ("kinds", "pattern", "tags", "text"),
    [
        ((Kind.E2E,), "chekcs", (), r"no case matches the pattern 'chekcs'; the nearest titles are 'Checks'"),
        ((Kind.E2E,), None, ("gpu",), "no case has the tag gpu; there are db, slow"),
        ((Kind.UNIT,), "speed", (), "1 case would match, but of kind performance and not unit; add --performance"),
    ],
)
def test_nothing_selected_says_what_came_closest(
    kinds: tuple[Kind, ...], pattern: str | None, tags: tuple[str, ...], text: str
) -> None:
    with pytest.raises(NothingSelected, match=text):
        plan(*kinds, pattern=pattern, tags=tags)


def test_without_any_case_the_way_to_a_first_one_is_told() -> None:
    with pytest.raises(NothingSelected, match="wfrun init"):
        make_plan((), kinds=tuple(Kind), pattern=None, tags=(), seed=1, timeout_s=1)
