"""A channel bounded by what its items weigh, for items of very different sizes."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from wfrun.concurrency.channel_facts import ByteChannelStatistics, ChannelMode
from wfrun.concurrency.entry_channel import EntryChannel
from wfrun.concurrency.errors import InvalidCapacity, InvalidMeasure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ByteChannel", "size_bytes"]

T = TypeVar("T")


def size_bytes(item: object) -> int:
    """Return the content's length of bytes-like objects; of others what ``sys.getsizeof`` says, without their parts."""
    if isinstance(item, bytes | bytearray):
        return len(item)
    return item.nbytes if isinstance(item, memoryview) else sys.getsizeof(item)


class ByteChannel(EntryChannel[T]):
    """A first-in, first-out channel whose capacity is weight: ``send`` waits while the item would exceed it.

    An item heavier than the whole capacity passes alone, once the channel is empty. A waiting heavy item is not
    overtaken by light ones. Otherwise as :class:`Channel`; ``capacity`` is None, because the number of items has no
    bound of its own.

    Args:
        capacity_bytes: Most weight buffered at once, at least 1.
        weigh: Returns an item's weight; called once for each item, when it is sent.
        mode: How many tasks may send and receive at once.
        name: Shown in errors and diagnoses.

    Raises:
        InvalidCapacity: ``capacity_bytes`` is 0 or negative.
    """

    __slots__ = ("_buffered_bytes", "_entries", "_high_water_mark_bytes", "_weigh", "capacity_bytes")

    _KIND: ClassVar = "byte channel"

    def __init__(
        self,
        capacity_bytes: int,
        *,
        weigh: Callable[[T], int] = size_bytes,
        mode: ChannelMode = ChannelMode.MPMC,
        name: str = "",
    ) -> None:
        if capacity_bytes < 1:
            raise InvalidCapacity(f"capacity_bytes {capacity_bytes} would let nothing through; give at least 1")
        super().__init__(None, mode=mode, name=name)
        self.capacity_bytes: Final = capacity_bytes
        self._weigh: Final = weigh
        self._entries: deque[tuple[T, int]] = deque()
        self._buffered_bytes = 0
        self._high_water_mark_bytes = 0

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<{self._label()} {self.mode.name} {state} {self._buffered_bytes}/{self.capacity_bytes} bytes>"

    def statistics(self) -> ByteChannelStatistics:
        """Return counts and weights since the channel was made, and the names of the tasks that wait."""
        counts = super().statistics()
        return ByteChannelStatistics(
            sent=counts.sent,
            received=counts.received,
            buffered=counts.buffered,
            high_water_mark=counts.high_water_mark,
            waiting_senders=counts.waiting_senders,
            waiting_receivers=counts.waiting_receivers,
            closed=counts.closed,
            buffered_bytes=self._buffered_bytes,
            high_water_mark_bytes=self._high_water_mark_bytes,
        )

    def _enter(self, item: T) -> tuple[T, int]:
        weight: object = self._weigh(item)
        if not isinstance(weight, int) or weight < 0:
            raise InvalidMeasure(
                f"{self._label()} weighed an item of type {type(item).__name__} at {weight!r}; "
                "a weight is a whole number of bytes, at least 0"
            )
        return item, weight

    def _leave(self, entry: Any) -> T:  # noqa: ANN401 - what the base promises
        return cast("T", entry[0])

    def _store(self, item: Any) -> bool:  # noqa: ANN401 - an entry
        if self._entries and self._buffered_bytes + item[1] > self.capacity_bytes:
            return False
        self._entries.append(item)
        self._count(1, item[1])
        return True

    def _pop(self) -> Any:  # noqa: ANN401 - an entry
        entry = self._entries.popleft()
        self._count(-1, -entry[1])
        return entry

    def _put_back(self, items: list[Any]) -> None:
        self._entries.extendleft(reversed(items))
        self._count(len(items), sum(weight for _, weight in items))

    def _cut(self, items: Sequence[Any], start: int, most: int) -> int:
        # One receiver is handed no more than the buffer might hold, or the bound would mean nothing to batches.
        end = start + 1
        weight = items[start][1]
        while end < len(items) and end - start < most and weight + items[end][1] <= self.capacity_bytes:
            weight += items[end][1]
            end += 1
        return end

    def _count(self, items: int, weight: int) -> None:
        self._elsewhere += items
        self._buffered_bytes += weight
        self._high_water_mark = max(self._high_water_mark, self._elsewhere)
        self._high_water_mark_bytes = max(self._high_water_mark_bytes, self._buffered_bytes)
