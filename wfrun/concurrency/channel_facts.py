"""What can be said of a channel: who may use it at once, and what went through it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["ByteChannelStatistics", "ChannelMode", "ChannelStatistics"]


class ChannelMode(Enum):
    """How many tasks may send and receive at once. The channel refuses more; tasks may take turns."""

    SPSC = "single producer, single consumer"
    MPSC = "multiple producers, single consumer"
    MPMC = "multiple producers, multiple consumers"

    @property
    def one_sender(self) -> bool:
        """Whether a second sender at once is refused."""
        return self is ChannelMode.SPSC

    @property
    def one_receiver(self) -> bool:
        """Whether a second receiver at once is refused."""
        return self is not ChannelMode.MPMC


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """What went through a channel so far, and who waits at it now."""

    sent: int
    """Items the channel accepted."""
    received: int
    """Items taken out, or handed to a waiting receiver that has yet to run."""
    buffered: int
    """Items inside now; always ``sent - received``."""
    high_water_mark: int
    """The most items that were inside at once."""
    waiting_senders: tuple[str, ...]
    """Names of the tasks that wait for room, longest first."""
    waiting_receivers: tuple[str, ...]
    """Names of the tasks that wait for an item, longest first."""
    closed: bool


@dataclass(frozen=True, slots=True)
class ByteChannelStatistics(ChannelStatistics):
    """The same of a channel that is bounded by weight, with the weights."""

    buffered_bytes: int
    """Weight of the items inside now."""
    high_water_mark_bytes: int
    """The most weight that was inside at once."""
