"""Workers that try again: each item has its own count of tries, in the hands of the worker that holds it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wfrun.concurrency.channel import ChannelMode
from wfrun.concurrency.retrying import RetriesExhausted, RetryPolicy, retry

from .packets import Digest, Packet
from .plumbing import make_channel

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from random import Random

    from wfrun import Clock
    from wfrun.concurrency.targets import ChannelTarget

    from .unreliable import UnreliableService

__all__ = ["Outcome", "digest_with_retries", "work_through"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker reports about one packet: a digest, or the errors of all its tries."""

    id: int
    digest: Digest | None = None
    errors: tuple[Exception, ...] = ()


async def digest_with_retries(
    service: UnreliableService, packet: Packet, policy: RetryPolicy, clock: Clock, rng: Random | None = None
) -> Outcome:
    """Ask the service for the packet's digest as often as the policy allows."""
    try:
        digest = await retry(lambda _: service.digest(packet), policy, clock=clock, rng=rng)
    except RetriesExhausted as exhausted:
        return Outcome(packet.id, errors=exhausted.errors)
    return Outcome(packet.id, digest)


async def work_through(
    channels: ChannelTarget,
    packets: Iterable[Packet],
    worker: Callable[[Packet], Coroutine[Any, Any, Outcome]],
    *,
    workers: int = 3,
    capacity: int = 50,
) -> list[Outcome]:
    """Share the packets among workers and return what they report, in the order of their reports."""
    work = make_channel(channels, capacity, ChannelMode.MPMC, "work")
    reports = make_channel(channels, capacity, ChannelMode.MPSC, "reports")

    async def send() -> None:
        for packet in packets:
            await work.send(packet)
        work.close()

    async def work_on() -> None:
        async for packet in work:
            await reports.send(await worker(packet))

    async def all_work() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work_on())
        reports.close()

    async with asyncio.TaskGroup() as group:
        group.create_task(send())
        group.create_task(all_work())
        reported = [report async for report in reports]
    assert len(work) == len(reports) == 0
    return reported
