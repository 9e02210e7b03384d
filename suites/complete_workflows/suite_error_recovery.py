"""What goes wrong, and what is left of it: retries, a circuit breaker, random faults, a deadline, cancelled workers."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from wfrun import Context, FaultPlan, InjectedFault, Suite
from wfrun.concurrency.breaker import BreakerRules, BreakerState, CircuitBreaker, CircuitOpen
from wfrun.concurrency.channel import ChannelMode
from wfrun.concurrency.retrying import RetryPolicy

from .packets import Digest, Packet, check_exactly_once, expected_digests, fold_digests, make_packets
from .phases import Phase
from .plumbing import make_channel
from .retrying import digest_with_retries, work_through
from .unreliable import UnreliableService, tries_by_id

if TYPE_CHECKING:
    from wfrun.concurrency.targets import ChannelTarget

suite = Suite("Error Recovery", tags=["recovery"])

PACKET_BYTES = 256


# Retries

NEVER = 10**9
"""As many failing tries as nobody makes."""


@suite.case("Workflow with transient failures", kinds=["e2e"], virtual_time=True)
async def transient_failures(context: Context) -> None:
    """Of 100 items every tenth fails: seven of those recover at their second or third try, three never do."""
    failing = list(range(0, 100, 10))
    context.random.shuffle(failing)
    first_failures: dict[object, int] = dict(zip(failing, [1, 1, 1, 1, 2, 2, 2, NEVER, NEVER, NEVER], strict=True))
    service = UnreliableService(FaultPlan(script=first_failures), context.clock, takes_s=0.001)
    policy = RetryPolicy.retries(3, base_delay_s=0.01, retry_on=(InjectedFault,))

    outcomes = await work_through(
        context.target("channels"),
        make_packets(100, PACKET_BYTES, context.seed),
        worker=lambda packet: digest_with_retries(service, packet, policy, context.clock),
    )

    hopeless = {id_ for id_, failures in first_failures.items() if failures == NEVER}
    expected = expected_digests(100, PACKET_BYTES, context.seed)
    check_exactly_once([outcome.id for outcome in outcomes], range(100))
    digests = [outcome.digest for outcome in outcomes if outcome.digest is not None]
    assert {digest.id for digest in digests} == expected.keys() - hopeless
    assert len(digests) == 97
    assert fold_digests(digests) == fold_digests(expected[id_] for id_ in expected.keys() - hopeless)
    assert {outcome.id for outcome in outcomes if outcome.errors} == hopeless
    assert all(len(outcome.errors) in (0, 4) for outcome in outcomes)
    # Three retries are four tries; the service's log tells, not the workers.
    wanted_retries = {id_: min(first_failures.get(id_, 0), 3) for id_ in range(100)}
    assert {id_: tries - 1 for id_, tries in tries_by_id(service.log).items()} == wanted_retries
    assert len(service.log) == 100 + 4 * 1 + 3 * 2 + 3 * 3
    context.count(100)


@suite.case("Random failures", kinds=["e2e"], virtual_time=True)
async def random_failures(context: Context) -> None:
    """30 % of all calls fail by a seed: the same seed gives the same tries, whoever the workers are; all recover."""
    channels = context.target("channels")
    faults = FaultPlan(seed=context.seed, rate=0.3)

    first = await _under_random_failures(context, channels, faults, workers=3, capacity=50)
    again = await _under_random_failures(context, channels, faults, workers=8, capacity=1)
    other = await _under_random_failures(
        context, channels, FaultPlan(seed=context.seed + 1, rate=0.3), workers=3, capacity=50
    )

    assert first == again
    assert first != other
    # Independent of any worker: the plan alone says at which try an item succeeds.
    assert {id_: len(waits) for id_, waits in first.items()} == {
        id_: next(n for n in range(NEVER) if not faults.fails("digest", id_, n + 1)) for id_ in range(RANDOM_ITEMS)
    }
    failed = sum(map(len, first.values()))
    share = failed / (failed + RANDOM_ITEMS)
    assert 0.2 < share < 0.4
    context.note("share of failed calls", round(share, 3))
    context.count(RANDOM_ITEMS)


RANDOM_ITEMS = 500


async def _under_random_failures(
    context: Context, channels: ChannelTarget, faults: FaultPlan, *, workers: int, capacity: int
) -> dict[int, list[float]]:
    """Put 500 packets through and return by id the waits between its tries, in milliseconds as the service saw them."""
    service = UnreliableService(faults, context.clock)
    # Sixteen tries: that one of 500 items fails them all happens once in half a million seeds.
    policy = RetryPolicy(16, base_delay_s=0.01, max_delay_s=1.0, jitter=0.5, retry_on=(InjectedFault,))

    outcomes = await work_through(
        channels,
        make_packets(RANDOM_ITEMS, PACKET_BYTES, context.seed),
        worker=lambda packet: digest_with_retries(service, packet, policy, context.clock, _jitter_of(packet, context)),
        workers=workers,
        capacity=capacity,
    )

    check_exactly_once([outcome.id for outcome in outcomes], range(RANDOM_ITEMS))
    assert [outcome.id for outcome in outcomes if outcome.digest is None] == []
    expected = expected_digests(RANDOM_ITEMS, PACKET_BYTES, context.seed)
    assert fold_digests(outcome.digest for outcome in outcomes if outcome.digest) == fold_digests(expected.values())
    times_s: dict[int, list[float]] = {id_: [] for id_ in range(RANDOM_ITEMS)}
    for asked in service.log:
        times_s[asked.id].append(asked.at_s)
    waits_ms = {id_: [round((b - a) * 1e3, 3) for a, b in pairwise(times)] for id_, times in times_s.items()}
    for waits in waits_ms.values():
        for number, wait_ms in enumerate(waits, 1):
            full_ms = policy.delay_s(number) * 1e3
            assert full_ms / 2 - 0.001 <= wait_ms <= full_ms + 0.001
    return waits_ms


def _jitter_of(packet: Packet, context: Context) -> Random:
    """Return a generator of the packet's own, so that its waits depend on no other packet."""
    return Random(f"{context.seed}/jitter/{packet.id}")  # noqa: S311 - repeatable on purpose


# Circuit breaker

REQUESTS = 50
BAD = range(15, 25)
"""Ten bad requests of fifty, in a row: spread evenly there would never be five failures in a row."""

PERIOD_S = 0.1
RESET_S = 0.35
THRESHOLD = 5


@suite.case("Circuit breaker pattern", kinds=["e2e"], virtual_time=True)
async def circuit_breaker(context: Context) -> None:
    """A burst of bad requests opens the circuit; it fails fast, probes after its reset time, and closes on success."""
    service = UnreliableService(FaultPlan(script=dict.fromkeys(BAD, NEVER)), context.clock)
    rules = BreakerRules(failure_threshold=THRESHOLD, reset_s=RESET_S)
    breaker = CircuitBreaker(rules, name="digests", clock=context.clock)
    began_s = context.clock.monotonic()

    answers = await _ask_through(context, breaker, service)

    # Requests come every 0.1 s. 19 is the fifth bad one in a row and opens the circuit for 0.35 s; 23 is the probe,
    # still bad, and opens it again; 27 is the next probe, good, and closes it.
    rejected = {20, 21, 22, 24, 25, 26}
    failed = {15, 16, 17, 18, 19, 23}
    check_exactly_once([id_ for id_, _ in answers], range(REQUESTS))
    assert {id_ for id_, answer in answers if isinstance(answer, CircuitOpen)} == rejected
    assert {id_ for id_, answer in answers if isinstance(answer, InjectedFault)} == failed
    expected = expected_digests(REQUESTS, PACKET_BYTES, context.seed)
    served = [answer for _, answer in answers if isinstance(answer, Digest)]
    assert fold_digests(served) == fold_digests(expected[id_] for id_ in expected.keys() - rejected - failed)
    # Failing fast means that the service never hears of it.
    assert [asked.id for asked in service.log] == sorted(expected.keys() - rejected)
    moves = [(round((move.at_s - began_s) / PERIOD_S), move.before, move.after) for move in breaker.transitions]
    assert moves == [
        (19, BreakerState.CLOSED, BreakerState.OPEN),
        (23, BreakerState.OPEN, BreakerState.HALF_OPEN),
        (23, BreakerState.HALF_OPEN, BreakerState.OPEN),
        (27, BreakerState.OPEN, BreakerState.HALF_OPEN),
        (27, BreakerState.HALF_OPEN, BreakerState.CLOSED),
    ]
    assert breaker.state is BreakerState.CLOSED
    context.note("transitions", [[at, before.value, after.value] for at, before, after in moves])
    context.count(REQUESTS)


async def _ask_through(
    context: Context, breaker: CircuitBreaker, service: UnreliableService
) -> list[tuple[int, Digest | Exception]]:
    """Send a request every 0.1 s through a channel of 20 to one worker; return the answers in their order."""
    channels = context.target("channels")
    requests = make_channel(channels, 20, ChannelMode.SPSC, "requests")
    answers = make_channel(channels, 20, ChannelMode.SPSC, "answers")

    async def send() -> None:
        for packet in make_packets(REQUESTS, PACKET_BYTES, context.seed):
            await requests.send(packet)
            await context.clock.sleep(PERIOD_S)
        requests.close()

    async def work() -> None:
        async for packet in requests:
            answer: Digest | Exception
            try:
                async with breaker.attempt():
                    answer = await service.digest(packet)
            except (CircuitOpen, InjectedFault) as error:
                answer = error
            await answers.send((packet.id, answer))
        answers.close()

    async with asyncio.TaskGroup() as group:
        group.create_task(send())
        group.create_task(work())
        return [answer async for answer in answers]


# Time-out and cancellation

PHASE_ITEMS = 40
SLOW_FROM = 25
"""In the last phase this packet, and those after it, take longer than the deadline allows."""

DEADLINE_S = 5.0


@suite.case("Timeout and cancellation", kinds=["e2e"], virtual_time=True)
async def timeout_and_cancellation(context: Context) -> None:
    """A deadline strikes in the third of three phases, and workers are cancelled while they wait: nothing is lost."""
    channels = context.target("channels")
    before = asyncio.all_tasks()

    await _deadline_in_the_last_phase(context, channels)
    assert asyncio.all_tasks() == before
    await _workers_cancelled_while_they_wait(channels)
    assert asyncio.all_tasks() == before
    context.count(3 * PHASE_ITEMS)


async def _deadline_in_the_last_phase(context: Context, channels: ChannelTarget) -> None:
    phases = [
        Phase(
            make_packets(PHASE_ITEMS, PACKET_BYTES, context.seed),
            takes_s,
            context.folder / f"phase{number}.jsonl",
            channels,
            context.clock,
        )
        for number, takes_s in ((1, _quick), (2, _quick), (3, _slow_from_the_middle))
    ]
    began_s = context.clock.monotonic()

    ended_s = await _run_until_deadline(phases, context)

    assert abs(ended_s - began_s - DEADLINE_S) < 1e-6
    expected = expected_digests(PHASE_ITEMS, PACKET_BYTES, context.seed)
    for phase in phases[:2]:
        check_exactly_once([digest.id for digest in phase.stored()], expected)
        assert fold_digests(phase.stored()) == fold_digests(expected.values())
    last = phases[2]
    done = [digest.id for digest in last.stored()]
    waiting = [packet.id for packet in await last.left_in_channel()]
    in_hand = [packet.id for packet in last.unfinished]
    unsent = [packet.id for packet in last.unsent]
    assert sorted(done) == list(range(SLOW_FROM))
    assert len(in_hand) == 2
    assert len(waiting) == 10
    # Each packet of the interrupted phase is in exactly one place.
    check_exactly_once([*done, *in_hand, *waiting, *unsent], range(PHASE_ITEMS))


def _quick(_: Packet) -> float:
    return 0.01


def _slow_from_the_middle(packet: Packet) -> float:
    return 0.01 if packet.id < SLOW_FROM else 3600.0


async def _run_until_deadline(phases: list[Phase], context: Context) -> float:
    """Run the phases one after the other, at most until the deadline, and return when that was."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            for phase in phases:
                await phase.run()
    except TimeoutError:
        return context.clock.monotonic()
    raise AssertionError("the third phase ended, though it takes an hour")


async def _workers_cancelled_while_they_wait(channels: ChannelTarget) -> None:
    """Cancel a waiting worker in the very turn in which an item is sent to it, before and after the send."""
    channel = make_channel(channels, 100, ChannelMode.MPMC, "work")
    received: list[int] = []

    async def work() -> None:
        async for item in channel:
            received.append(item)  # noqa: PERF401 - what a cancelled worker has received must be kept

    for item in range(0, 40, 2):
        doomed = asyncio.create_task(work())
        await _parked()
        doomed.cancel()
        await channel.send(item)
        await channel.send(item + 1)
        await asyncio.wait([doomed])
        assert doomed.cancelled()
        doomed = asyncio.create_task(work())
        await _parked()
        await channel.send(40 + item)
        doomed.cancel()
        await channel.send(40 + item + 1)
        await asyncio.wait([doomed])
        assert doomed.cancelled()
    channel.close()
    await work()

    check_exactly_once(received, range(80))


async def _parked() -> None:
    """Let a task that was just created run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)
