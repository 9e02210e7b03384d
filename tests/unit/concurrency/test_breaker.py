"""A circuit breaker: its table, its counts, and results that arrive late."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.clock import ManualClock
from wfrun.concurrency.breaker import (
    MOVES,
    BreakerEvent,
    BreakerRules,
    BreakerState,
    CircuitBreaker,
    CircuitOpen,
)
from wfrun.errors import UsageError

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


async def good() -> str:
    return "good"


async def bad() -> None:
    raise ConnectionError


async def fail_times(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionError):
            await breaker.call(bad)


async def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = CircuitBreaker(BreakerRules(failure_threshold=3), clock=ManualClock())

    await fail_times(breaker, 2)
    assert breaker.state is CLOSED
    await fail_times(breaker, 1)

    assert breaker.state is OPEN


async def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = CircuitBreaker(BreakerRules(failure_threshold=3), clock=ManualClock())

    await fail_times(breaker, 2)
    await breaker.call(good)
    await fail_times(breaker, 2)

    assert breaker.state is CLOSED


async def test_an_open_circuit_calls_nothing_and_says_when_to_try_again() -> None:
    clock = ManualClock(100)
    breaker = CircuitBreaker(BreakerRules(failure_threshold=1, reset_s=30), clock=clock, name="payments")
    await fail_times(breaker, 1)
    await clock.advance(10)

    with pytest.raises(CircuitOpen, match=r"'payments' is open; try again in 20 s") as raised:
        await breaker.call(bad)

    assert raised.value.retry_in_s == 20


async def test_after_the_reset_time_a_probe_closes_it() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(BreakerRules(failure_threshold=1, reset_s=30), clock=clock)
    await fail_times(breaker, 1)
    await clock.advance(30)

    assert await breaker.call(good) == "good"

    assert [(move.at_s, move.before, move.event, move.after) for move in breaker.transitions] == [
        (0, CLOSED, BreakerEvent.THRESHOLD_REACHED, OPEN),
        (30, OPEN, BreakerEvent.RESET_DUE, HALF_OPEN),
        (30, HALF_OPEN, BreakerEvent.PROBES_PASSED, CLOSED),
    ]


async def test_a_failed_probe_opens_it_for_another_reset_time() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(BreakerRules(failure_threshold=5, reset_s=30), clock=clock)
    await fail_times(breaker, 5)
    await clock.advance(30)
    await fail_times(breaker, 1)
    await clock.advance(29)

    with pytest.raises(CircuitOpen):
        await breaker.call(good)


async def test_no_more_probes_run_than_the_rules_say() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(BreakerRules(failure_threshold=1, reset_s=1, probes=2), clock=clock)
    await fail_times(breaker, 1)
    await clock.advance(1)

    async with breaker.attempt(), breaker.attempt():
        with pytest.raises(CircuitOpen, match="probes are running") as raised:
            await breaker.call(good)

    assert raised.value.retry_in_s == 0
    assert breaker.state is CLOSED


async def test_a_probe_that_has_passed_still_counts_as_one() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(BreakerRules(failure_threshold=1, reset_s=1, probes=2), clock=clock)
    await fail_times(breaker, 1)
    await clock.advance(1)

    async with breaker.attempt():
        await breaker.call(good)
        with pytest.raises(CircuitOpen):
            await breaker.call(good)

    assert breaker.state is CLOSED


async def test_a_cancelled_probe_decides_nothing_and_makes_room_for_another() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(BreakerRules(failure_threshold=1, reset_s=1), clock=clock)
    await fail_times(breaker, 1)
    await clock.advance(1)
    probe = asyncio.create_task(breaker.call(asyncio.Event().wait))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert breaker.state is HALF_OPEN

    await breaker.call(good)

    assert breaker.state is CLOSED


async def test_a_failure_from_before_the_circuit_moved_decides_nothing() -> None:
    """A slow call of yesterday must not open the circuit that a probe has just closed."""
    clock = ManualClock()
    breaker = CircuitBreaker(BreakerRules(failure_threshold=1, reset_s=1), clock=clock)
    slow = breaker.attempt()
    await slow.__aenter__()
    await fail_times(breaker, 1)
    await clock.advance(1)
    await breaker.call(good)

    await slow.__aexit__(ConnectionError, ConnectionError(), None)

    assert breaker.state is CLOSED


async def test_an_error_that_is_not_a_failure_is_an_answer() -> None:
    breaker = CircuitBreaker(BreakerRules(failure_threshold=2), failure_on=(ConnectionError,), clock=ManualClock())

    async def refuses() -> None:
        raise LookupError

    await fail_times(breaker, 1)
    with pytest.raises(LookupError):
        await breaker.call(refuses)
    await fail_times(breaker, 1)

    assert breaker.state is CLOSED


def test_every_state_has_a_way_out_and_a_way_in() -> None:
    assert {state for state, _ in MOVES} == set(BreakerState) == set(MOVES.values())


@pytest.mark.parametrize("rules", [{"failure_threshold": 0}, {"probes": 0}, {"reset_s": -1}])
def test_rules_that_cannot_be_are_refused(rules: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        BreakerRules(**rules)


class Model:
    """The circuit breaker once more, told as a story rather than as a table, for one call at a time."""

    def __init__(self, rules: BreakerRules) -> None:
        self.rules = rules
        self.failures = 0
        self.opened_at_s: float | None = None
        self.passed: int | None = None

    def call(self, now_s: float, succeeds: bool) -> str:
        if self.opened_at_s is not None:
            if now_s < self.opened_at_s + self.rules.reset_s:
                return "refused"
            self.opened_at_s, self.passed = None, 0
        if self.passed is not None:
            if not succeeds:
                self.opened_at_s, self.passed = now_s, None
            else:
                self.passed += 1
                if self.passed == self.rules.probes:
                    self.passed, self.failures = None, 0
        elif succeeds:
            self.failures = 0
        else:
            self.failures += 1
            if self.failures == self.rules.failure_threshold:
                self.opened_at_s = now_s
        return "good" if succeeds else "bad"


@given(
    rules=st.builds(
        BreakerRules, failure_threshold=st.integers(1, 4), probes=st.integers(1, 3), reset_s=st.integers(0, 5)
    ),
    calls=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60),
)
def test_it_agrees_with_the_model(rules: BreakerRules, calls: list[tuple[int, bool]]) -> None:
    async def scenario() -> None:
        clock = ManualClock()
        breaker = CircuitBreaker(rules, clock=clock)
        model = Model(rules)
        for wait_s, succeeds in calls:
            await clock.advance(wait_s)
            try:
                await breaker.call(good if succeeds else bad)
                outcome = "good"
            except ConnectionError:
                outcome = "bad"
            except CircuitOpen:
                outcome = "refused"
            assert outcome == model.call(clock.monotonic(), succeeds)
        for move in breaker.transitions:
            assert MOVES[move.before, move.event] is move.after

    asyncio.run(scenario())
