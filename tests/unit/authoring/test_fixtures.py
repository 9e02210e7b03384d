from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from wfrun.authoring.context import Context
from wfrun.authoring.errors import BadDeclaration, SkipCase, UnknownTarget
from wfrun.authoring.fixtures import CaseResources
from wfrun.authoring.suite import Suite


def resources(suite: Suite, **parameters: object) -> CaseResources:
    return CaseResources(suite, Context("a::b", seed=1), parameters)


async def test_fixtures_are_made_once_and_undone_in_reverse_order() -> None:
    suite, told = Suite("S"), list[str]()

    @suite.fixture
    async def database() -> AsyncIterator[str]:
        told.append("open")
        yield "db"
        told.append("close")

    @suite.fixture
    def table(database: str, size: int) -> Iterator[str]:
        told.append("create")
        yield f"{database}/{size}"
        told.append("drop")

    @suite.fixture
    async def name(table: str) -> str:
        return table.upper()

    def case(name: str, table: str, database: str) -> None: ...

    case_resources = resources(suite, size=3)
    arguments = await case_resources.arguments(case)
    assert case_resources.pending_teardowns == ["database", "table"]
    await case_resources.tear_down()

    assert arguments == {"name": "DB/3", "table": "db/3", "database": "db"}
    assert told == ["open", "create", "drop", "close"]
    assert case_resources.pending_teardowns == []


async def test_set_up_runs_for_every_case_and_tear_downs_run_last_first() -> None:
    suite, told = Suite("S"), list[str]()

    @suite.setup
    def before() -> Iterator[None]:
        told.append("before")
        yield
        told.append("after")

    @suite.teardown
    def first() -> None:
        told.append("first")

    @suite.teardown
    async def second(context: Context) -> None:
        told.append(f"second of {context.case_id}")

    case_resources = resources(suite)
    await case_resources.set_up()
    await case_resources.tear_down()

    assert told == ["before", "after", "second of a::b", "first"]


async def test_every_tear_down_runs_even_when_one_fails() -> None:
    suite, told = Suite("S"), list[str]()

    @suite.teardown
    def first() -> None:
        told.append("first")

    @suite.teardown
    def failing() -> None:
        raise OSError("gone")

    case_resources = resources(suite)
    await case_resources.set_up()
    with pytest.raises(OSError, match="gone"):
        await case_resources.tear_down()

    assert told == ["first"]


async def test_a_fixture_that_yields_twice_is_refused() -> None:
    suite = Suite("S")

    @suite.fixture
    def twice() -> Iterator[int]:
        yield 1
        yield 2

    def case(twice: int) -> None: ...

    case_resources = resources(suite)
    await case_resources.arguments(case)
    with pytest.raises(BadDeclaration, match=r"twice\(\) yields a second time"):
        await case_resources.tear_down()


def test_a_context_counts_times_notes_and_is_seeded() -> None:
    context = Context("a::b", seed=7)
    context.count(3)
    context.count()
    context.record_latency_ns(1000)
    with context.timed():
        pass
    context.note("curve", [1, 2])
    (context.folder / "file").write_text("x")
    folder = context.folder
    context.close()

    assert context.items == 4
    assert context.stopwatch.spans == 1
    assert context.notes == {"curve": [1, 2]}
    assert context.random.random() == Context("other", seed=7).random.random()
    assert not folder.exists()


def test_skipping_and_unknown_targets_say_what_and_why() -> None:
    context = Context("a::b", seed=7, targets={"channels": "telegraph"})

    with pytest.raises(SkipCase, match="no network"):
        context.skip("no network")
    with pytest.raises(
        UnknownTarget, match="'channels' has no implementation 'telegraph'; there are anyio, asyncio, wfrun"
    ):
        context.target("channels")
    with pytest.raises(UnknownTarget, match="no installed package offers a target 'chanels'; there are channels"):
        context.target("chanels")
