"""Pipelines: equal to the plain computation, whoever works in them, and gone when they end."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.clock import settle
from wfrun.concurrency.channel import Channel, ChannelMode
from wfrun.concurrency.pipeline import Pipeline, Stage
from wfrun.concurrency.stages import StageKind
from wfrun.virtual_time import VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence


def plus_one(item: int) -> int:
    return item + 1


async def plus_one_later(item: int) -> int:
    await asyncio.sleep(0)
    return item + 1


async def counted(most: int) -> AsyncIterator[int]:
    for item in range(most):
        await asyncio.sleep(0)
        yield item


async def nobody_left(before: set[asyncio.Task[Any]]) -> None:
    await settle()
    assert asyncio.all_tasks() == before


# What comes out


async def test_results_come_in_the_order_of_the_source() -> None:
    assert await Pipeline([plus_one, plus_one_later, str]).collect(range(1000)) == [
        str(item + 2) for item in range(1000)
    ]


async def test_a_filter_a_flat_map_and_batches() -> None:
    stages = [
        Stage.filter(lambda item: item % 2 == 0),
        Stage.flat_map(lambda item: [item] * 3),
        Stage.batch(100),
    ]

    batches = await Pipeline(stages).collect(range(10_000))

    assert [len(batch) for batch in batches] == [100] * 150
    assert list(itertools.chain(*batches)) == [item for item in range(0, 10_000, 2) for _ in range(3)]


async def test_the_last_batch_may_be_shorter() -> None:
    assert await Pipeline([Stage.batch(4)]).collect(range(10)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_without_stages_the_source_comes_out() -> None:
    assert await Pipeline([]).collect(range(1000)) == list(range(1000))
    assert await Pipeline([]).collect(counted(10)) == list(range(10))


async def test_none_is_an_ordinary_item() -> None:
    assert await Pipeline([lambda item: item, Stage.flat_map(lambda item: [item])]).collect([None, 0]) == [None, 0]


async def test_one_pipeline_runs_over_many_sources_at_once() -> None:
    pipeline = Pipeline([plus_one_later])

    first, second = await asyncio.gather(pipeline.collect(range(5)), pipeline.collect(range(5, 9)))
    assert first == [1, 2, 3, 4, 5]
    assert second == [6, 7, 8, 9]


async def test_an_async_flat_map_may_return_or_generate() -> None:
    async def returns(item: int) -> list[int]:
        await asyncio.sleep(0)
        return [item, item]

    async def generates(item: int) -> AsyncIterator[int]:
        for number in range(item):
            await asyncio.sleep(0)
            yield number

    stages = [Stage.flat_map(returns), Stage.flat_map(generates)]

    assert await Pipeline(stages).collect([1, 3]) == [0, 0, 0, 1, 2, 0, 1, 2]


async def test_objects_that_can_be_called_are_functions() -> None:
    class Adds:
        async def __call__(self, item: int) -> int:
            return await plus_one_later(item)

    assert await Pipeline([Adds(), lambda item: plus_one_later(item)]).collect([1]) == [3]  # noqa: PLW0108


@pytest.mark.parametrize("mode", list(ChannelMode))
@pytest.mark.parametrize("workers", [1, 3])
async def test_a_channel_is_a_source(mode: ChannelMode, workers: int) -> None:
    source = Channel[int](5, mode=mode)

    async def send() -> None:
        for item in range(50):
            await source.send(item)
        source.close()

    sender = asyncio.create_task(send())
    results = await Pipeline([Stage.map(plus_one_later, workers=workers)]).collect(source)
    await sender

    assert results == list(range(1, 51))


async def test_a_pipeline_is_a_source() -> None:
    first = Pipeline([plus_one]).run(range(10))

    assert await Pipeline([plus_one]).collect(first) == list(range(2, 12))


DrawnStage = tuple[StageKind, bool, int, bool, int]

KINDS = st.sampled_from([kind for kind in StageKind if kind is not StageKind.BATCH])


@st.composite
def stage_lists(draw: st.DrawFn) -> list[DrawnStage]:
    """Return kind, whether async, workers, whether ordered, and a number that tells functions of a kind apart."""
    return draw(
        st.lists(
            st.tuples(KINDS, st.booleans(), st.integers(1, 4), st.booleans(), st.integers(1, 3)), min_size=0, max_size=5
        )
    )


def in_sequence(items: Iterable[int], stages: Sequence[DrawnStage]) -> list[int]:
    for kind, _, _, _, number in stages:
        if kind is StageKind.MAP:
            items = [item * number + 1 for item in items]
        elif kind is StageKind.FILTER:
            items = [item for item in items if item % (number + 1)]
        else:
            items = [item + more for item in items for more in range(number)]
    return list(items)


def as_stage(drawn: DrawnStage, rng: random.Random) -> Stage:
    kind, waits, workers, ordered, number = drawn

    def plain(item: int) -> Any:
        if kind is StageKind.MAP:
            return item * number + 1
        return item % (number + 1) if kind is StageKind.FILTER else range(item, item + number)

    async def waiting(item: int) -> Any:
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
        return plain(item)

    return Stage(kind, waiting if waits else plain, kind.value, workers, ordered)


@given(
    stages=stage_lists(),
    items=st.lists(st.integers(-50, 50), max_size=60),
    capacity_and_seed=st.tuples(st.integers(1, 8), st.integers(0, 99)),
    as_channel=st.booleans(),
    size=st.none() | st.integers(1, 7),
)
def test_it_equals_the_sequential_computation(
    stages: list[DrawnStage],
    items: list[int],
    capacity_and_seed: tuple[int, int],
    as_channel: bool,
    size: int | None,
) -> None:
    capacity, seed = capacity_and_seed
    rng = random.Random(seed)
    expected = in_sequence(items, stages)
    ordered = all(in_order or workers == 1 for _, _, workers, in_order, _ in stages)
    row = [as_stage(stage, rng) for stage in stages]
    if size is not None:
        row.append(Stage.batch(size))

    async def scenario() -> list[Any]:
        before = asyncio.all_tasks()
        source: Channel[int] | list[int] = items
        if as_channel:
            source = Channel(None)
            await source.send_many(items)
            source.close()
        results = await Pipeline(row, capacity=capacity).collect(source)
        assert asyncio.all_tasks() == before
        return results

    results = asyncio.run(scenario())

    if size is not None:
        assert all(len(batch) == size for batch in results[:-1])
        results = list(itertools.chain(*results))
    if ordered:
        assert results == expected
    else:
        assert Counter(results) == Counter(expected)


# How it runs


def test_workers_overlap_and_order_is_kept() -> None:
    async def waits(item: int) -> int:
        await asyncio.sleep((7 * item) % 10 + 1)
        return item

    async def scenario() -> tuple[list[int], float]:
        results = await Pipeline([Stage.map(waits, workers=10)]).collect(range(100))
        return results, asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        results, took_s = runner.run(scenario())

    assert results == list(range(100))
    assert took_s < sum((7 * item) % 10 + 1 for item in range(100)) / 5


def test_unordered_results_come_as_they_are_ready() -> None:
    async def waits(item: int) -> int:
        await asyncio.sleep(item)
        return item

    async def scenario() -> list[int]:
        return await Pipeline([Stage.map(waits, workers=3, ordered=False)]).collect([3, 1, 2])

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(scenario()) == [1, 2, 3]


def test_a_slow_first_item_bounds_how_far_others_run_ahead() -> None:
    taken = 0

    async def first_is_slow(item: int) -> int:
        nonlocal taken
        taken += 1
        if item == 0:
            await asyncio.sleep(1000)
            assert taken <= 10
        return item

    async def scenario() -> list[int]:
        return await Pipeline([Stage.map(first_is_slow, workers=2)], capacity=10).collect(range(100))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(scenario()) == list(range(100))


async def test_a_result_is_there_before_the_next_item_is() -> None:
    """No stage waits to fill a batch."""
    source = Channel[int](10)
    run = Pipeline([plus_one, plus_one_later, plus_one]).run(source)

    for item in range(5):
        await source.send(item)
        assert await anext(run) == item + 3
    await run.aclose()


async def test_slow_plain_functions_do_not_hold_back_first_results() -> None:
    done = []

    def slow(item: int) -> int:
        time.sleep(0.002)
        done.append(item)
        return item

    async with Pipeline([slow, slow]).run(range(50)) as run:
        assert await anext(run) == 0

    assert len(done) < 20


async def test_a_slow_plain_source_does_not_hold_back_first_results() -> None:
    drawn = []

    def slow() -> Iterator[int]:
        for item in range(50):
            time.sleep(0.002)
            drawn.append(item)
            yield item

    async with Pipeline([plus_one, plus_one]).run(slow()) as run:
        assert await anext(run) == 2

    assert len(drawn) < 20


async def test_an_endless_source_is_drawn_only_as_far_as_there_is_room() -> None:
    drawn = itertools.count()

    async with Pipeline([plus_one, plus_one], capacity=5).run(drawn) as run:
        assert [await anext(run) for _ in range(3)] == [2, 3, 4]
        await settle()

    assert next(drawn) < 50


@pytest.mark.parametrize("workers", [1, 2])
async def test_an_endless_flat_map_is_drawn_only_as_far_as_there_is_room(workers: int) -> None:
    async def waits(_item: int) -> Iterator[int]:
        await asyncio.sleep(0)
        return itertools.count()

    functions: list[Callable[[int], Any]] = [lambda _: itertools.count(), waits]
    for function in functions:
        stage = Stage.flat_map(function, workers=workers)
        async with Pipeline([stage], capacity=5).run(range(3)) as run:
            assert [await anext(run) for _ in range(20)] == list(range(20))


async def test_statistics_count_items_busy_time_and_the_fill_of_channels() -> None:
    def spins(item: int) -> int:
        time.sleep(0.001)
        return item

    run = Pipeline([Stage.filter(lambda item: item % 2, name="odd"), spins, Stage.batch(5)], capacity=10).run(range(20))
    await run.collect()

    odd, spinning, batch = run.statistics()
    assert (odd.name, odd.received, odd.sent) == ("odd", 20, 10)
    assert (spinning.name, spinning.received, spinning.sent) == ("spins", 10, 10)
    assert (batch.received, batch.sent) == (10, 2)
    assert spinning.busy_s >= 0.01
    assert 1 <= spinning.high_water_mark <= 10


def test_busy_time_of_an_async_stage_is_the_loops() -> None:
    async def waits(item: int) -> int:
        await asyncio.sleep(5)
        return item

    async def scenario() -> float:
        run = Pipeline([Stage.map(waits, workers=2)]).run(range(4))
        await run.collect()
        return run.statistics()[0].busy_s

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(scenario()) == 20


def test_stages_of_one_name_are_told_apart() -> None:
    assert [stage.name for stage in Pipeline([plus_one, str, plus_one]).stages] == ["plus_one#1", "str", "plus_one#3"]
