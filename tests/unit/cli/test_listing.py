from __future__ import annotations

import json
from pathlib import Path

import pytest

from wfrun.authoring.info import CaseInfo, Kind
from wfrun.cli.listing import listing_json, listing_lines, print_listing
from wfrun.errors import ExitCode
from wfrun.runner.child.messages import LoadFailure
from wfrun.runner.discover.discovery import Discovery
from wfrun.runner.plan.planned import Plan, PlannedCase


def case(title: str, suite: str = "Orders", kinds: tuple[Kind, ...] = (Kind.E2E,)) -> CaseInfo:
    return CaseInfo(
        id=f"orders::{title}",
        title=title,
        suite_title=suite,
        kinds=kinds,
        tags=("shop",),
        file=str(Path.cwd() / "suites" / "suite_orders.py"),
        line=3,
        parameters={},
        timeout_s=None,
        own_process=False,
        virtual_time=False,
        pinned=True,
        source_hash="abc",
    )


def planned(*infos: CaseInfo, discovered: int | None = None) -> Plan:
    cases = tuple(PlannedCase(info, measured=False, seed=1, timeout_s=60) for info in infos)
    return Plan(cases, seed=1, discovered=len(infos) if discovered is None else discovered)


def lines(discovery: Discovery, plan: Plan) -> list[str]:
    return ["".join(text for text, _ in line) for line in listing_lines(discovery, plan)]


NOTHING_FOUND = Discovery((), ())


def test_cases_stand_below_their_suite_with_kinds_and_id() -> None:
    plan = planned(case("a"), case("[bold] longer", kinds=(Kind.E2E, Kind.PERFORMANCE)), discovered=9)

    assert lines(NOTHING_FOUND, plan) == [
        "Orders  suites/suite_orders.py",
        "  a              e2e               orders::a",
        "  [bold] longer  e2e, performance  orders::[bold] longer",
        "",
        "2 of 9 cases in 1 suite",
    ]


def test_wide_characters_keep_the_columns_straight() -> None:
    plan = planned(case("🚀"), case("abcd"))

    assert lines(NOTHING_FOUND, plan)[1:3] == ["  🚀    e2e  orders::🚀", "  abcd  e2e  orders::abcd"]


def test_a_very_long_title_does_not_push_the_others() -> None:
    plan = planned(case("x" * 300), case("short"))

    assert len(lines(NOTHING_FOUND, plan)[2]) < 100


def test_shipped_suites_are_told_apart() -> None:
    assert "come with wfrun" in lines(Discovery((), (), shipped=True), planned(case("a")))[0]


def test_the_json_has_every_field() -> None:
    failure = LoadFailure("/x/suite_b.py", "NameError: nope", "Traceback")

    listing = json.loads(listing_json(Discovery((), (), (failure,)), planned(case("a"), discovered=4)))

    assert listing == {
        "schema_version": 1,
        "discovered": 4,
        "cases": [
            {
                "id": "orders::a",
                "title": "a",
                "suite": "Orders",
                "kinds": ["e2e"],
                "tier": "standard",
                "tags": ["shop"],
                "parameters": {},
                "file": str(Path.cwd() / "suites" / "suite_orders.py"),
                "line": 3,
            }
        ],
        "load_failures": [{"file": "/x/suite_b.py", "message": "NameError: nope", "traceback": "Traceback"}],
    }


@pytest.mark.parametrize("as_json", [False, True])
def test_a_suite_that_does_not_load_is_told_on_standard_error(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = LoadFailure("/x/suite_b.py", "NameError: nope", "Traceback")

    code = print_listing(Discovery((), (), (failure,)), planned(case("a")), as_json=as_json)

    out, err = capsys.readouterr()
    assert code is ExitCode.CASE_FAILED
    assert "orders::a" in out
    assert err == "wfrun: /x/suite_b.py did not load: NameError: nope\nTraceback\n"


def test_a_line_is_not_folded_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    print_listing(NOTHING_FOUND, planned(case("x" * 300)), as_json=False)

    assert max(map(len, capsys.readouterr().out.splitlines())) > 300
