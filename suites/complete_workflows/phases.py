"""One phase of a longer job, that keeps what it has done when its time is up."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from wfrun.concurrency.channel import ChannelMode

from .packets import Digest, Packet, digest_packet
from .plumbing import make_channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from wfrun import Clock
    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

__all__ = ["Phase"]


class Phase:
    """Packets through one channel to two workers, which store each digest as a line of a file.

    Args:
        packets: What is to be done.
        takes_s: Tells how long a packet takes.
        file: Where digests are stored; a new file.
    """

    def __init__(
        self,
        packets: Iterable[Packet],
        takes_s: Callable[[Packet], float],
        file: Path,
        channels: ChannelTarget,
        clock: Clock,
    ) -> None:
        self.unsent = deque(packets)
        """What has not been put into the channel."""
        self.unfinished: list[Packet] = []
        """What a worker had in hand when it was cancelled."""
        self._takes_s = takes_s
        self._file = file
        self._clock = clock
        self._channel: ChannelLike[Any] = make_channel(channels, 10, ChannelMode.MPMC, file.stem)

    async def run(self) -> None:
        """Work until everything is stored. Cancelling ends all tasks; every packet is then in exactly one place."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send())
                for _ in range(2):
                    group.create_task(self._work())
        finally:
            self._channel.close()

    def stored(self) -> list[Digest]:
        """Return what the file holds."""
        if not self._file.exists():
            return []
        return [Digest(**json.loads(line)) for line in self._file.read_text().splitlines()]

    async def left_in_channel(self) -> list[Packet]:
        """Take out what no worker took; the phase has ended."""
        return [packet async for packet in self._channel]

    async def _send(self) -> None:
        while self.unsent:
            await self._channel.send(self.unsent[0])
            self.unsent.popleft()
        self._channel.close()

    async def _work(self) -> None:
        async for packet in self._channel:
            try:
                await self._clock.sleep(self._takes_s(packet))
            except asyncio.CancelledError:
                self.unfinished.append(packet)
                raise
            digest = digest_packet(packet)
            with self._file.open("a") as file:
                file.write(json.dumps(asdict(digest)) + "\n")
