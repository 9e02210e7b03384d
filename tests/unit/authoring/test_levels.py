"""Which fixture a name means."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from wfrun.authoring.declarations import FixtureDeclaration
from wfrun.authoring.errors import FixtureCycle, NarrowerFixture, UnknownFixture
from wfrun.authoring.levels import FixtureLevel, needed_fixtures
from wfrun.authoring.suite import Suite


def level(suite: Suite, outer: FixtureLevel | None = None) -> FixtureLevel:
    return FixtureLevel(suite.fixtures, outer)


def names(needed: Mapping[FixtureDeclaration, object]) -> list[str]:
    return [declaration.name for declaration in needed]


def plain_disk(suite: Suite) -> None:
    @suite.fixture
    def disk() -> str:
        return "disk"


def dressed_disk(suite: Suite) -> None:
    @suite.fixture
    def disk(disk: str) -> str:
        return f"dressed {disk}"


def test_the_nearest_fixture_is_meant_and_those_needed_come_first() -> None:
    outer, inner = Suite("outer"), Suite("inner")

    @outer.fixture
    def server(disk: str) -> str:
        return disk

    plain_disk(outer)
    dressed_disk(inner)

    def case(server: str) -> None: ...

    needed = needed_fixtures(case, {}, level(inner, level(outer)))

    assert names(needed) == ["disk", "server"]
    # A fixture looks from where it stands: the inner disk does not reach the outer server.
    assert next(iter(needed)) is outer.fixtures["disk"]


def test_a_fixture_that_asks_for_its_own_name_gets_the_next_one_outward() -> None:
    outer, inner = Suite("outer"), Suite("inner")
    plain_disk(outer)
    dressed_disk(inner)

    def case(disk: None) -> None: ...

    needed = needed_fixtures(case, {}, level(inner, level(outer)))
    assert list(needed) == [outer.fixtures["disk"], inner.fixtures["disk"]]


def test_a_fixture_alone_that_asks_for_itself_is_a_circle() -> None:
    suite = Suite("S")

    @suite.fixture
    def disk(disk: None) -> None: ...

    def case(disk: None) -> None: ...

    with pytest.raises(FixtureCycle, match="disk → disk"):
        needed_fixtures(case, {}, level(suite))


def test_what_lives_longer_cannot_use_what_lives_shorter() -> None:
    suite = Suite("S")

    @suite.fixture(scope="suite")
    def disk() -> None: ...

    @suite.fixture(scope="session")
    def server(disk: None) -> None: ...

    def case(server: None) -> None: ...

    message = "the session fixture 'server' asks for the suite fixture 'disk', which does not live as long; give disk"
    with pytest.raises(NarrowerFixture, match=message):
        needed_fixtures(case, {}, level(suite))


def test_a_parameter_is_for_fixtures_of_the_case_alone() -> None:
    suite = Suite("S")

    @suite.fixture
    def table(size: int) -> None: ...

    @suite.fixture(scope="suite")
    def server(size: int) -> None: ...

    def good(table: None, size: int) -> None: ...
    def bad(server: None, size: int) -> None: ...

    assert names(needed_fixtures(good, {"size": 1}, level(suite))) == ["table"]
    with pytest.raises(NarrowerFixture, match="asks for the parameter 'size'"):
        needed_fixtures(bad, {"size": 1}, level(suite))


def test_the_nearest_name_outward_is_offered() -> None:
    outer = Suite("outer")

    @outer.fixture
    def connection() -> None: ...

    def case(conection: None) -> None: ...

    with pytest.raises(UnknownFixture, match="did you mean 'connection'"):
        needed_fixtures(case, {}, level(Suite("inner"), level(outer)))
