from __future__ import annotations

from itertools import groupby

import pytest

from wfrun.authoring.info import CaseInfo, Kind, Tier
from wfrun.errors import NothingSelected
from wfrun.runner.options import Order, Selection, Shard
from wfrun.runner.plan.plan import case_seed, choose, make_plan
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


def plan(*kinds: Kind, pattern: str | None = None, tags: tuple[str, ...] = (), excludes: tuple[str, ...] = ()) -> Plan:
    patterns = () if pattern is None else (pattern,)
    selection = Selection(frozenset(kinds), patterns=patterns, excludes=excludes, tags=tags, seed=1)
    return make_plan(CASES, selection, timeout_s=60)


def chosen(made: Plan) -> list[tuple[str, bool]]:
    return [(planned.info.id.partition("::")[2], planned.measured) for planned in made.cases]


def test_a_case_of_two_kinds_is_measured_only_when_asked_for_as_such() -> None:
    assert chosen(plan(Kind.E2E)) == [("checks", False), ("both", False)]
    assert chosen(plan(Kind.PERFORMANCE)) == [("both", True), ("speed", True)]
    assert chosen(plan(Kind.E2E, Kind.PERFORMANCE)) == [("checks", False), ("both", True), ("speed", True)]


def test_every_tag_is_needed() -> None:
    assert chosen(plan(*Kind, tags=("db",))) == [("both", True), ("speed", True)]
    assert chosen(plan(*Kind, tags=("db", "slow"))) == [("both", True)]


@pytest.mark.parametrize(
    "pattern",
    [
        "load testing",
        "LOAD_TESTS",
        "testing · both",
        "slow",
        "shop/load",
        "shop/suite_load_tests.py",
        "BOTH and (db or nothing) and not stress",
    ],
)
def test_a_pattern_is_found_in_paths_ids_titles_and_tags(pattern: str) -> None:
    assert ("both", True) in chosen(plan(*Kind, pattern=pattern))


def test_adjacent_words_are_one_phrase() -> None:
    with pytest.raises(NothingSelected):
        plan(*Kind, pattern="testing load")


def test_a_phrase_is_not_found_across_two_parts_of_a_case() -> None:
    with pytest.raises(NothingSelected):
        plan(*Kind, pattern="both slow")


def test_each_further_pattern_narrows() -> None:
    selection = Selection(frozenset(Kind), patterns=("load", "db"))

    assert chosen(make_plan(CASES, selection, timeout_s=1)) == [("both", True), ("speed", True)]


def test_what_any_exclude_matches_is_left_out() -> None:
    assert chosen(plan(*Kind, excludes=("speed or breaks", "slow"))) == [("checks", False)]


def test_every_deselected_case_has_its_reason() -> None:
    selection = Selection(frozenset({Kind.E2E, Kind.PERFORMANCE}), patterns=("not speed",), excludes=("slow",))

    made = choose(CASES, selection, timeout_s=1)

    assert [(left_out.info.title, left_out.reason) for left_out in made.deselected] == [
        ("Both", 'excluded by "slow"'),
        ("Speed", 'does not match pattern "not speed"'),
        ("Breaks", "kind stress not asked for"),
    ]
    assert len(made.cases) + len(made.deselected) == made.discovered


def test_a_missing_tag_is_a_reason() -> None:
    (left_out, *_) = choose(CASES, Selection(frozenset(Kind), tags=("db", "slow")), timeout_s=1).deselected

    assert left_out.reason == "has no tag db and no tag slow"


def in_files(*names: str) -> list[CaseInfo]:
    """Three cases in each file."""
    return [
        case(f"case_{number}")._replace(id=f"{name}::case_{number}", file=f"/suites/suite_{name}.py")
        for name in names
        for number in range(3)
    ]


def test_shards_are_together_what_is_chosen_and_share_nothing() -> None:
    cases = in_files(*"abcde")
    whole = choose(cases, Selection(), timeout_s=1)

    shards = [choose(cases, Selection(shard=Shard(number, 3)), timeout_s=1) for number in (1, 2, 3)]

    assert sorted(ids for shard in shards for ids, _ in chosen(shard)) == sorted(ids for ids, _ in chosen(whole))
    assert len({planned.info.id for shard in shards for planned in shard.cases}) == len(cases)
    assert {shard.selection_digest for shard in shards} == {whole.selection_digest}
    assert shards[0].deselected[0].reason.startswith("other shard ")


def test_a_random_order_keeps_files_and_suites_whole_and_follows_from_the_seed() -> None:
    cases = in_files(*"abcdefgh")
    orders: dict[int, list[str]] = {}
    for seed in (1, 2):
        for order in ("random", "random"):
            made = choose(cases, Selection(order=order, seed=seed), timeout_s=1)
            ids = [planned.info.id for planned in made.cases]
            assert orders.setdefault(seed, ids) == ids

    assert orders[1] != orders[2]
    assert sorted(orders[1]) == sorted(info.id for info in cases)
    files = [case_id[0] for case_id in orders[1]]
    assert [len(list(group)) for _, group in groupby(files)] == [3] * 8
    assert any(orders[1][start : start + 3] != sorted(orders[1][start : start + 3]) for start in range(0, 24, 3))


@pytest.mark.parametrize("order", ["file", "random"])
def test_the_order_changes_no_shard_and_no_seed(order: Order) -> None:
    cases = in_files(*"abcd")

    made = choose(cases, Selection(order=order, shard=Shard(2, 3), seed=3), timeout_s=1)

    assert {planned.info.id: planned.seed for planned in made.cases} == {
        f"b::case_{number}": case_seed(3, f"b::case_{number}") for number in range(3)
    }


def test_an_empty_shard_says_how_many_there_can_be() -> None:
    with pytest.raises(NothingSelected, match=r"shard 3/3 is empty: the 6 chosen cases are in 2 suite files"):
        make_plan(in_files("a", "b"), Selection(shard=Shard(3, 3)), timeout_s=1)


def test_the_authors_own_limit_beats_the_sessions() -> None:
    assert [planned.timeout_s for planned in plan(Kind.PERFORMANCE).cases] == [60, 5]


def test_a_named_tier_is_the_limit_where_neither_case_nor_session_has_one() -> None:
    named = case("named")._replace(tier=Tier.SLOW, tier_named=True)
    cases = (case("unnamed"), named, named._replace(id="a::own", timeout_s=5))

    def limits(session_s: float | None) -> list[float]:
        made = make_plan(cases, Selection(), timeout_s=session_s)
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
        selection = Selection(frozenset({Kind.PERFORMANCE}), seed=5, measured_seed=measured_seed)
        made = make_plan(CASES, selection, timeout_s=1)
        return [planned.seed for planned in made.cases]

    assert seeds() == [case_seed(0, case.id) for case in CASES[1:3]]
    assert seeds(measured_seed=5) == [case_seed(5, case.id) for case in CASES[1:3]]


def test_a_session_that_measures_nothing_checks_what_it_would_measure() -> None:
    made = make_plan(CASES, Selection(frozenset({Kind.PERFORMANCE})), timeout_s=1, measure=False)

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
        make_plan((), Selection(frozenset(Kind)), timeout_s=1)


def test_when_everything_is_excluded_that_is_said() -> None:
    with pytest.raises(NothingSelected, match="2 cases would match, but --exclude 'load' leaves out every one"):
        plan(Kind.E2E, excludes=("load",))
