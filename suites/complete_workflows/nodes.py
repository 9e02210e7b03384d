"""Nodes of a distributed flow: packets in, answers out, over links that take time or in processes that may be killed.

Every answer says which node and which worker or process computed it. What was tried is written down as it happens: a
simulated node keeps the interval of every job, a node in a process of its own appends each attempt to a file, where it
outlives the process.
"""

from __future__ import annotations

import hashlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun import simulate_network_delay
from wfrun.concurrency.channel import ChannelMode

from .packets import Digest, Packet, digest_packet
from .plumbing import make_channel

if TYPE_CHECKING:
    import random

    from wfrun.clock import Clock
    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

__all__ = ["Answer", "Attempt", "Job", "Node", "compute_in_process", "read_attempts"]

MAX_DELAY_S: Final = 0.010
"""A packet is under way between 0 and this many seconds on each hop."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node found out about one packet."""

    node: int
    worker: int
    """The number of the worker, or the id of the process."""
    digest: Digest
    """Of the packet as it arrived there."""
    seal: str
    """Of node and payload together: no other node could have computed it."""

    @classmethod
    def of(cls, node: int, worker: int, packet: Packet) -> Answer:
        """Compute the answer of ``node`` to ``packet``.

        Raises:
            DamagedPacket: The packet was changed on its way.
        """
        return cls(node, worker, digest_packet(packet), seal(node, packet.payload))


def seal(node: int, payload: bytes) -> str:
    """Return what ``node`` computes of ``payload``."""
    return hashlib.blake2b(payload, person=f"node {node}".encode()).hexdigest()


class Node:
    """Some workers that share an inbox and an outbox; hops into and out of the node take time.

    The outbox is closed when the last worker has ended, so that whoever collects learns of the end.

    Attributes:
        busy_s: Start and end of every job, hops included, in seconds of ``clock``.
    """

    def __init__(
        self, number: int, channels: ChannelTarget, *, capacity: int, workers: int, clock: Clock, rng: random.Random
    ) -> None:
        self.number: Final = number
        self.workers: Final = workers
        # Two workers share each end, so neither can be a channel for a single one.
        self.inbox: ChannelLike[Packet] = make_channel(channels, capacity, name=f"into node {number}")
        self.outbox: ChannelLike[Answer] = make_channel(
            channels, capacity, mode=ChannelMode.MPSC, name=f"out of node {number}"
        )
        self.busy_s: list[tuple[float, float]] = []
        self._working = workers
        self._clock: Final = clock
        self._rng: Final = rng

    async def work(self, worker: int) -> None:
        """Answer packets as worker number ``worker`` until the inbox has ended."""
        async for packet in self.inbox:
            start_s = self._clock.monotonic()
            await self._hop()
            answer = Answer.of(self.number, worker, packet)
            await self._hop()
            self.busy_s.append((start_s, self._clock.monotonic()))
            await self.outbox.send(answer)
        self._working -= 1
        if not self._working:
            self.outbox.close()

    async def _hop(self) -> None:
        await simulate_network_delay(0.0, MAX_DELAY_S, self._clock, self._rng)


# Nodes in processes of their own


@dataclass(frozen=True, slots=True)
class Job:
    """One packet on its way to a node that is a process."""

    node: int
    packet: Packet
    attempts_path: str
    """The node's file of attempts."""
    last_words_path: str = ""
    """A named pipe; the first process that comes to this job writes its id there and then waits to be killed."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A process began to work on a packet."""

    packet_id: int
    process: int


def compute_in_process(job: Job) -> Answer:
    """Answer one job in the process that this is called in."""
    first = _note_attempt(job)
    if job.last_words_path and first:
        with open(job.last_words_path, "wb", buffering=0) as pipe:  # noqa: PTH123 - unbuffered, so it is out before the end
            pipe.write(b"%d\n" % os.getpid())
        while True:
            signal.pause()
    return Answer.of(job.node, os.getpid(), job.packet)


def read_attempts(path: Path) -> list[Attempt]:
    """Return what the processes of one node wrote down, in order."""
    return [Attempt(*map(int, line.split())) for line in path.read_text().splitlines()] if path.exists() else []


def _note_attempt(job: Job) -> bool:
    """Write the attempt down; return whether nobody attempted this packet before."""
    path = Path(job.attempts_path)
    first = bool(job.last_words_path) and job.packet.id not in {attempt.packet_id for attempt in read_attempts(path)}
    # One short write in append mode is whole or not there, whenever the process is killed.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, b"%d %d\n" % (job.packet.id, os.getpid()))
    finally:
        os.close(descriptor)
    return first
