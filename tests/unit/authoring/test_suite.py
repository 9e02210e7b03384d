"""What a suite says of its cases, and what it refuses."""

from __future__ import annotations

import pytest

from wfrun.authoring.declarations import CaseDeclaration, Scope
from wfrun.authoring.errors import BadDeclaration
from wfrun.authoring.info import Tier
from wfrun.authoring.suite import Suite


def declared(suite: Suite, **arguments: object) -> CaseDeclaration:
    def function() -> None: ...

    suite.case(**arguments)(function)  # type: ignore[arg-type]
    return suite.cases[-1]


def test_the_tier_of_a_suite_is_that_of_its_cases_unless_they_name_one() -> None:
    suite = Suite("S", tier="fast")

    assert declared(suite).tier is Tier.FAST
    assert declared(suite, tier="slow").tier is Tier.SLOW
    assert declared(Suite("S")).tier is None


def test_a_case_is_in_the_groups_of_its_suite_and_its_own() -> None:
    case = declared(Suite("S", groups={"db": 2}), groups={"net": 1})

    assert dict(case.groups) == {"db": 2, "net": 1}


@pytest.mark.parametrize(
    ("condition", "reason"),
    [(True, "no network"), (False, None)],
)
def test_a_condition_decides_whether_a_case_is_skipped(condition: bool, reason: str | None) -> None:
    assert declared(Suite("S"), skip_if=(condition, "no network")).skip == reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tier": "quick"}, "'quick' is no tier; tiers are fast, standard, slow, infrastructure"),
        ({"groups": {"db": 0}}, "the group 'db' lets 0 cases run; give at least 1"),
        ({"skip": True}, "skip needs a reason in words, not True"),
        ({"skip_if": (False, " ")}, "skip_if needs a reason in words, not ' '"),
        ({"expected_failure": ""}, "expected_failure needs a reason in words, not ''"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(BadDeclaration, match=rf"test_suite\.py:\d+: {message}"):
        declared(Suite("S"), **arguments)


def test_a_fixture_is_declared_with_and_without_a_scope() -> None:
    suite = Suite("S")

    @suite.fixture
    def plain() -> int:
        return 1

    @suite.fixture(scope="session")
    async def wide() -> int:
        return 2

    assert (suite.fixtures["plain"].scope, suite.fixtures["plain"].waits) == (Scope.CASE, False)
    assert (suite.fixtures["wide"].scope, suite.fixtures["wide"].waits) == (Scope.SESSION, True)


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(BadDeclaration, match="'module' is no scope of a fixture; scopes are case, suite, session"):

        @Suite("S").fixture(scope="module")
        def database() -> None: ...
