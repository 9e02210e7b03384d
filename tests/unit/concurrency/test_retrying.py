"""Retrying: the policy's arithmetic, and a driver that counts by item."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.clock import ManualClock
from wfrun.concurrency.retrying import RetriesExhausted, RetryPolicy, retry
from wfrun.errors import UsageError
from wfrun.faults import FaultPlan, InjectedFault

policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 30),
    base_delay_s=st.floats(0, 1e3),
    factor=st.floats(0, 1e3),
    max_delay_s=st.floats(0, 1e4),
    jitter=st.floats(0, 1),
)


@given(policies, st.integers())
def test_each_delay_lies_between_the_jittered_and_the_full_one(policy: RetryPolicy, seed: int) -> None:
    delays = list(policy.delays(random.Random(seed)))

    assert len(delays) == policy.max_attempts - 1
    for number, delay_s in enumerate(delays):
        full_s = min(policy.base_delay_s * policy.factor**number, policy.max_delay_s)
        assert full_s * (1 - policy.jitter) * 0.999999 <= delay_s <= full_s


@given(policies, st.integers())
def test_one_seed_gives_one_sequence_of_delays(policy: RetryPolicy, seed: int) -> None:
    assert list(policy.delays(random.Random(seed))) == list(policy.delays(random.Random(seed)))


@given(policies, st.floats(0, 100), st.floats(0, 100))
def test_no_try_starts_after_the_deadline(policy: RetryPolicy, elapsed_s: float, deadline_s: float) -> None:
    policy = RetryPolicy(policy.max_attempts, policy.base_delay_s, policy.factor, deadline_s=deadline_s)

    decision = policy.decide(1, elapsed_s)

    if decision.delay_s is not None:
        assert elapsed_s + decision.delay_s <= deadline_s
    elif policy.max_attempts > 1:
        assert elapsed_s + policy.delay_s(1) > deadline_s


def test_delays_without_jitter_are_exact() -> None:
    policy = RetryPolicy(max_attempts=6, base_delay_s=1, factor=2, max_delay_s=5)

    assert list(policy.delays()) == [1, 2, 4, 5, 5]


def test_a_delay_too_large_for_a_float_is_the_largest_allowed() -> None:
    assert RetryPolicy(base_delay_s=1, factor=10, max_delay_s=7).delay_s(10_000) == 7


def test_three_retries_are_four_tries() -> None:
    assert RetryPolicy.retries(3).max_attempts == 4


@pytest.mark.parametrize(
    "arguments",
    [{"max_attempts": 0}, {"base_delay_s": -1}, {"factor": float("inf")}, {"max_delay_s": float("nan")}, {"jitter": 2}],
)
def test_a_policy_that_cannot_be_is_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        RetryPolicy(**arguments)  # type: ignore[arg-type]


def test_a_policy_that_would_retry_cancellation_is_refused() -> None:
    with pytest.raises(UsageError, match="cancellation"):
        RetryPolicy(retry_on=(asyncio.CancelledError,))  # type: ignore[arg-type]


async def test_the_first_success_is_returned_after_the_delays() -> None:
    clock = ManualClock()
    plan = FaultPlan(script={"item": 2})
    tries = []

    async def call(attempt: int) -> str:
        tries.append((attempt, clock.monotonic()))
        plan.check("work", "item", attempt)
        return "done"

    task = asyncio.create_task(retry(call, RetryPolicy(base_delay_s=1), clock=clock))
    await clock.advance(3)

    assert await task == "done"
    assert tries == [(1, 0), (2, 1), (3, 3)]


async def test_each_item_has_its_own_count() -> None:
    plan = FaultPlan(script={"a": 3, "b": 3})
    policy = RetryPolicy.retries(3, base_delay_s=0)

    async def call(key: str) -> str:
        async def one(attempt: int) -> str:
            plan.check("work", key, attempt)
            return key

        return await retry(one, policy, clock=ManualClock())

    assert list(await asyncio.gather(call("a"), call("b"))) == ["a", "b"]


async def test_exhausted_retries_tell_every_error() -> None:
    async def call(attempt: int) -> None:
        raise ValueError(attempt)

    with pytest.raises(RetriesExhausted, match="4 tries") as raised:
        await retry(call, RetryPolicy.retries(3, base_delay_s=0))

    assert [error.args for error in raised.value.errors] == [(1,), (2,), (3,), (4,)]
    assert raised.value.__cause__ is raised.value.errors[-1]


async def test_the_deadline_ends_retries_early() -> None:
    clock = ManualClock()

    async def call(attempt: int) -> None:
        raise ValueError(attempt)

    policy = RetryPolicy(max_attempts=100, base_delay_s=1, factor=1, deadline_s=2.5)
    task = asyncio.create_task(retry(call, policy, clock=clock))
    await clock.advance(10)

    with pytest.raises(RetriesExhausted, match="deadline") as raised:
        await task
    assert raised.value.attempts == 3
    assert raised.value.elapsed_s == 2


async def test_an_error_that_is_not_named_passes_at_once() -> None:
    tries = []

    async def call(attempt: int) -> None:
        tries.append(attempt)
        raise KeyError("not to be retried")

    with pytest.raises(KeyError):
        await retry(call, RetryPolicy(retry_on=(InjectedFault,)))

    assert tries == [1]


@pytest.mark.parametrize("while_waiting", [True, False])
async def test_cancellation_is_never_retried(while_waiting: bool) -> None:
    clock = ManualClock()
    tries = []

    async def call(attempt: int) -> None:
        tries.append(attempt)
        if while_waiting:
            raise ValueError
        await asyncio.Event().wait()

    task = asyncio.create_task(retry(call, RetryPolicy(), clock=clock))
    await clock.advance(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert tries == [1]
