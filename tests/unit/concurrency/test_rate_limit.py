"""A token bucket: exact, fair, and cancelling costs nothing."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.clock import ManualClock, SystemClock, settle
from wfrun.concurrency.rate_limit import TokenBucket
from wfrun.errors import UsageError


async def test_a_full_bucket_gives_its_burst_at_once() -> None:
    bucket = TokenBucket(1, burst=3, clock=ManualClock())

    for _ in range(3):
        await bucket.acquire()

    assert not bucket.try_acquire()


async def test_tokens_come_at_the_rate() -> None:
    clock = ManualClock()
    bucket = TokenBucket(4, burst=1, clock=clock)
    times = []

    async def take() -> None:
        for _ in range(5):
            await bucket.acquire()
            times.append(clock.monotonic())

    task = asyncio.create_task(take())
    await clock.advance(1)
    await task

    assert times == [0, 0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize("rate_per_s", [3.0, 7.0, 1 / 3, 1e-3, 12345.678])
async def test_a_million_refills_drift_by_nothing(rate_per_s: float) -> None:
    """The number of tokens is what the elapsed time says, not the sum of a rounding error for each refill."""
    clock = ManualClock(1e5)
    bucket = TokenBucket(rate_per_s, burst=1_000_000, clock=clock)
    assert bucket.try_acquire(1_000_000)
    step_s = 0.1

    for _ in range(1000):
        await clock.advance(step_s)
        assert bucket.available >= 0

    passed_s = Fraction(clock.monotonic()) - 100_000
    assert bucket.available == float(min(passed_s * Fraction(rate_per_s), Fraction(1_000_000)))


@given(
    rate_per_s=st.floats(0.01, 1e4),
    burst=st.integers(1, 10),
    asked=st.lists(st.integers(1, 10), min_size=1, max_size=20),
    start_s=st.floats(0, 1e6),
)
def test_in_no_interval_more_tokens_leave_than_burst_and_rate_allow(
    rate_per_s: float, burst: int, asked: list[int], start_s: float
) -> None:
    asked = [min(tokens, burst) for tokens in asked]
    grants: list[tuple[float, int]] = []

    async def scenario() -> None:
        clock = ManualClock(start_s)
        bucket = TokenBucket(rate_per_s, burst, clock)

        async def take(tokens: int) -> None:
            await bucket.acquire(tokens)
            grants.append((clock.monotonic(), tokens))

        async with asyncio.TaskGroup() as group:
            for tokens in asked:
                group.create_task(take(tokens))
            await clock.advance(2 * sum(asked) / rate_per_s + 1)

    asyncio.run(scenario())

    assert [tokens for _, tokens in grants] == asked
    for first, (began_s, _) in enumerate(grants):
        taken = 0
        for ended_s, tokens in grants[first:]:
            taken += tokens
            assert taken <= burst + (Fraction(ended_s) - Fraction(began_s)) * Fraction(rate_per_s)


@given(rate_per_s=st.floats(0.01, 1e4), start_s=st.floats(0, 1e6))
def test_a_waiter_wakes_at_the_first_instant_that_has_its_token(rate_per_s: float, start_s: float) -> None:
    granted: list[float] = []

    async def scenario() -> None:
        clock = ManualClock(start_s)
        bucket = TokenBucket(rate_per_s, 1, clock)
        await bucket.acquire()
        task = asyncio.create_task(bucket.acquire())
        await clock.advance(2 / rate_per_s + 1)
        assert task.done()
        task.result()
        granted.append(bucket.available)

    asyncio.run(scenario())
    # One second and the second half of the wait later, tokens are there again: the sleeper slept once, not twice.
    assert granted[0] > 0


async def test_a_small_request_does_not_overtake_a_large_one() -> None:
    clock = ManualClock()
    bucket = TokenBucket(1, burst=5, clock=clock)
    bucket.try_acquire(4)
    order = []

    async def take(tokens: int) -> None:
        await bucket.acquire(tokens)
        order.append(tokens)

    tasks = [asyncio.create_task(take(tokens)) for tokens in (5, 1)]
    await settle()

    assert not bucket.try_acquire(1), "one token is there, but others waited before"
    await clock.advance(10)
    await asyncio.gather(*tasks)
    assert order == [5, 1]


@pytest.mark.parametrize("which", [0, 1, 2])
async def test_a_cancelled_waiter_costs_no_token_and_no_time(which: int) -> None:
    clock = ManualClock()
    bucket = TokenBucket(1, clock=clock)
    bucket.try_acquire()
    times: dict[int, float] = {}

    async def take(number: int) -> None:
        await bucket.acquire()
        times[number] = clock.monotonic()

    tasks = [asyncio.create_task(take(number)) for number in range(3)]
    await settle()
    tasks[which].cancel()
    await clock.advance(10)
    await asyncio.gather(*tasks, return_exceptions=True)

    assert list(times.values()) == [1, 2]
    assert bucket.waiting == 0


async def test_a_head_cancelled_in_the_tick_it_was_woken_passes_its_turn_on() -> None:
    clock = ManualClock()
    bucket = TokenBucket(1, clock=clock)
    bucket.try_acquire()
    tasks = [asyncio.create_task(bucket.acquire()) for _ in range(3)]
    await settle()

    tasks[0].cancel()
    await asyncio.sleep(0)
    tasks[1].cancel()
    await clock.advance(1)

    assert tasks[2].done()
    await tasks[2]


@pytest.mark.parametrize("tokens", [0, -1, 4])
async def test_more_than_the_burst_is_refused_rather_than_waited_for(tokens: int) -> None:
    bucket = TokenBucket(1, burst=3)

    with pytest.raises(UsageError, match="never"):
        await bucket.acquire(tokens)


@pytest.mark.parametrize(("rate_per_s", "burst"), [(0, 1), (-1, 1), (float("inf"), 1), (float("nan"), 1), (1, 0)])
def test_a_bucket_that_gives_nothing_is_refused(rate_per_s: float, burst: int) -> None:
    with pytest.raises(UsageError):
        TokenBucket(rate_per_s, burst)


async def test_the_event_loop_is_the_clock_by_default() -> None:
    bucket = TokenBucket(1000)
    before_s = SystemClock().monotonic()

    for _ in range(6):
        await bucket.acquire()

    assert SystemClock().monotonic() - before_s >= 0.005
