"""A service that fails where a plan says so, and keeps a log of every call it was asked to answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .packets import Digest, Packet, digest_packet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wfrun import Clock, FaultPlan

__all__ = ["Asked", "UnreliableService", "tries_by_id"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that reached the service."""

    id: int
    at_s: float
    failed: bool


@dataclass(slots=True)
class UnreliableService:
    """Digests packets, each after ``takes_s`` seconds; the ``n``-th call for an id fails where ``faults`` says so.

    It counts the calls for an id itself, from its own log: callers cannot tell it which try this is.
    """

    faults: FaultPlan
    clock: Clock
    takes_s: float = 0.0
    log: list[Asked] = field(default_factory=list)
    _tries: Counter[int] = field(default_factory=Counter)

    async def digest(self, packet: Packet) -> Digest:
        """Return the packet's digest.

        Raises:
            InjectedFault: The plan wants this call to fail.
        """
        self._tries[packet.id] += 1
        attempt = self._tries[packet.id]
        fails = self.faults.fails("digest", packet.id, attempt)
        self.log.append(Asked(packet.id, self.clock.monotonic(), fails))
        await self.clock.sleep(self.takes_s)
        self.faults.check("digest", packet.id, attempt)
        return digest_packet(packet)


def tries_by_id(log: Iterable[Asked]) -> Counter[int]:
    """Return how many calls the service saw for each id."""
    return Counter(asked.id for asked in log)
