"""Groups of workers of which one crashes, and what each of them saw of it.

A packet is in its worker's hands from the moment it is received until its result is out, and stays there when the
worker crashes or is cancelled: at any end every packet is in exactly one place, done, in hand, or still in the inbox.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wfrun.concurrency.channel import ChannelMode

from .packets import Digest, Packet, digest_packet, make_packets
from .plumbing import make_channel

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from wfrun import Clock, FaultPlan
    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

__all__ = ["Done", "Life", "WorkerGroup"]

SIZE_BYTES: Final = 256
SHORTEST_S: Final = 0.001
LONGEST_S: Final = 0.005


@dataclass(slots=True)
class Life:
    """One worker from a start to an end."""

    worker: int
    start_s: float
    end_s: float = 0.0
    ended_by: type[BaseException] | None = None
    """What ended it; ``None`` when the work was done."""


@dataclass(frozen=True, slots=True)
class Done:
    """A packet was processed."""

    worker: int
    at_s: float
    digest: Digest


class WorkerGroup:
    """A full inbox, the hands of the workers, and an outbox with room for everything, even if it came twice.

    Attributes:
        ids: Of all packets of the group.
        hands: By worker, the packet it has not finished.
        lives: Every start of every worker, in order.
    """

    def __init__(self, number: int, *, workers: int, items: int, clock: Clock, rng: random.Random) -> None:
        self.number: Final = number
        self.workers: Final = workers
        self.ids: Final = range(number * items, (number + 1) * items)
        self.hands: dict[int, Packet] = {}
        self.lives: list[Life] = []
        self._taken: Counter[int] = Counter()
        self._tries: Counter[int] = Counter()
        self._clock: Final = clock
        self._rng: Final = rng

    async def fill(self, channels: ChannelTarget, seed: int, faults: FaultPlan) -> None:
        """Make the channels and put every packet of the group into the inbox.

        Args:
            channels: Makes them.
            seed: Of the packets.
            faults: Which tries crash; asked with group, worker and how many packets that worker took.
        """
        items = len(self.ids)
        self.inbox: ChannelLike[Packet] = make_channel(channels, items, name=f"group {self.number}")
        self.outbox: ChannelLike[Done] = make_channel(
            channels, 2 * items, mode=ChannelMode.MPSC, name=f"done by {self.number}"
        )
        self._faults = faults
        for packet in make_packets(items, SIZE_BYTES, seed, first_id=self.ids.start):
            await self.inbox.send(packet)
        self.inbox.close()

    async def work(self, worker: int) -> None:
        """Process packets as ``worker`` until the inbox has ended, the one still in hand first.

        Raises:
            InjectedFault: The worker crashed, as planned; its packet stays in its hands.
        """
        life = Life(worker, self._clock.monotonic())
        self.lives.append(life)
        try:
            if worker in self.hands:
                await self._process(worker)
            async for packet in self.inbox:
                self.hands[worker] = packet
                self._taken[worker] += 1
                self._tries[worker] = 0
                await self._process(worker)
        except BaseException as error:
            life.ended_by = type(error)
            raise
        finally:
            life.end_s = self._clock.monotonic()

    async def take_results(self) -> list[Done]:
        """Return what came out; afterwards nothing can."""
        self.outbox.close()
        return [done async for done in self.outbox]

    async def take_rest(self) -> list[int]:
        """Return the ids of the packets that nobody took."""
        return [packet.id async for packet in self.inbox]

    def lives_of(self, worker: int) -> Iterator[Life]:
        """Yield the lives of one worker, in order."""
        return (life for life in self.lives if life.worker == worker)

    async def _process(self, worker: int) -> None:
        self._tries[worker] += 1
        await self._clock.sleep(self._rng.uniform(SHORTEST_S, LONGEST_S))
        self._faults.check("work", (self.number, worker, self._taken[worker]), self._tries[worker])
        digest = digest_packet(self.hands[worker])
        # Nothing can come between these two: either the packet is in hand, or its result is out.
        self.outbox.try_send(Done(worker, self._clock.monotonic(), digest))
        del self.hands[worker]
