"""A service behind a channel: callers leave a packet and a place for the answer, workers digest it."""

from __future__ import annotations

import asyncio
import statistics
import time
from random import Random
from typing import TYPE_CHECKING, Any, Final, Self

from wfrun import generate_realistic_workload
from wfrun.concurrency.channel import ChannelMode

from .packets import Digest, digest_packet, make_packet
from .plumbing import make_channel

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

__all__ = ["DigestService"]

PACKETS: Final = 64
WORKERS: Final = 4
CALLERS: Final = 32
ROUNDS: Final = 3
CALLS_A_ROUND: Final = 192


class WrongAnswer(Exception):
    """The service digested something else than it was asked to."""


class DigestService:
    """Serves while its ``async with`` block lasts."""

    def __init__(self, channels: ChannelTarget, seed: int) -> None:
        random = Random(seed)  # noqa: S311 - repeatable on purpose
        # Of many sizes: where all work takes equally long nobody ever waits for another below saturation. On average
        # they are so large that the work outweighs what it takes to ask for it.
        sizes = [item.size_bytes for item in generate_realistic_workload(PACKETS, random)]
        self._packets: Final = [make_packet(id_, size_bytes, random) for id_, size_bytes in enumerate(sizes)]
        self._expected: Final = {packet.id: digest_packet(packet) for packet in self._packets}
        self._requests: Final[ChannelLike[Any]] = make_channel(channels, 1000, ChannelMode.MPMC, "requests")
        self._workers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._workers = [asyncio.create_task(self._work(), name=f"worker {number}") for number in range(WORKERS)]
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._requests.close()
        await asyncio.gather(*self._workers)

    async def ask(self, index: int) -> None:
        """Ask for one digest and wait for it.

        Raises:
            WrongAnswer: It is not that of the packet sent.
        """
        packet = self._packets[index % PACKETS]
        answer: asyncio.Future[Digest] = asyncio.get_running_loop().create_future()
        await self._requests.send((packet, answer))
        if await answer != self._expected[packet.id]:
            raise WrongAnswer(f"packet {packet.id} came back with another digest")

    async def saturation_per_s(self, count: Callable[[int], None] = lambda _: None) -> float:
        """Return the calls a second that are answered when many callers ask without pause: the median of some rounds.

        Each call is a task of its own, as under an open load, so that both pay the same for asking.
        """
        rates = []
        for _ in range(ROUNDS):
            started_s = time.perf_counter()
            await asyncio.gather(
                *(self._ask_in_turn(range(caller, CALLS_A_ROUND, CALLERS)) for caller in range(CALLERS))
            )
            rates.append(CALLS_A_ROUND / (time.perf_counter() - started_s))
            count(CALLS_A_ROUND)
        return statistics.median(rates)

    async def _ask_in_turn(self, indices: range) -> None:
        for index in indices:
            await asyncio.create_task(self.ask(index))

    async def _work(self) -> None:
        async for packet, answer in self._requests:
            answer.set_result(digest_packet(packet))
            # Between two pieces of work the loop gets its turn, or calls that are due would have to wait for them all.
            await asyncio.sleep(0)
