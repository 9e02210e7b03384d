"""A channel whose buffer holds something around each item: its weight, or its place.

The measure of an item is taken once, before anything else happens to it, so that a measure that fails fails in the
sender. The fast paths of :class:`Channel` never fire here: its own buffer stays empty and its limit shut.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

from wfrun.concurrency.channel import DEFAULT_BATCH, Channel
from wfrun.concurrency.lines import NOTHING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

__all__ = ["EntryChannel"]

T = TypeVar("T")


class EntryChannel(Channel[T]):
    """Turns items into entries and back at the door. What follows keeps ``_elsewhere`` at the number of entries."""

    __slots__ = ()

    def _enter(self, item: T) -> Any:  # noqa: ANN401 - each kind of channel has its own entries
        raise NotImplementedError

    def _leave(self, entry: Any) -> T:  # noqa: ANN401 - as above
        raise NotImplementedError

    async def send(self, item: T, timeout_s: float | None = None) -> None:
        """Put ``item`` in, waiting while it does not fit; otherwise as :meth:`Channel.send`.

        Raises:
            InvalidMeasure: The item's weight or priority is not a number that can be used.
        """
        await super().send(self._enter(item), timeout_s)

    def try_send(self, item: T) -> None:
        """Put ``item`` in without waiting; as :meth:`Channel.try_send`."""
        super().try_send(self._enter(item))

    async def send_many(self, items: Sequence[T], timeout_s: float | None = None) -> None:
        """Put all ``items`` in, in order; as :meth:`Channel.send_many`. All are measured first."""
        await super().send_many([self._enter(item) for item in items], timeout_s)

    async def receive(self, timeout_s: float | None = None) -> T:
        """Return the next item, waiting until there is one; as :meth:`Channel.receive`."""
        return self._leave(await super().receive(timeout_s))

    def try_receive(self) -> T:
        """Return the next item without waiting; as :meth:`Channel.try_receive`."""
        return self._leave(super().try_receive())

    async def receive_many(self, max_items: int = DEFAULT_BATCH, timeout_s: float | None = None) -> list[T]:
        """Return what is there, in the channel's order; as :meth:`Channel.receive_many`."""
        return [self._leave(entry) for entry in await super().receive_many(max_items, timeout_s)]

    def batches(self, max_items: int = DEFAULT_BATCH) -> AsyncIterator[list[T]]:
        """Iterate over lists of what is there; as :meth:`Channel.batches`."""
        return self._left(super().batches(max_items))

    async def _left(self, batches: AsyncIterator[list[Any]]) -> AsyncIterator[list[T]]:
        async for batch in batches:
            yield [self._leave(entry) for entry in batch]

    def drain(self) -> list[T]:
        """Take out everything that is buffered, without waiting; as :meth:`Channel.drain`."""
        return [self._leave(entry) for entry in super().drain()]

    async def __anext__(self) -> T:
        return self._leave(await super().__anext__())

    # The buffer, as far as all such channels share it.

    def _store_many(self, items: Sequence[Any], start: int, *, owned: bool) -> int:  # noqa: ARG002 - entries lie one by one
        while start < len(items) and self._store(items[start]):
            start += 1
        return start

    def _pop_many(self, most: int, *, whole: bool) -> list[Any]:  # noqa: ARG002 - as above
        return [self._pop() for _ in range(min(most, self._elsewhere))]

    def _record_peak(self) -> None:
        self._recording = False

    def _retune(self) -> None:
        self._bound = self._capacity or sys.maxsize
        self._limit = self._ceiling = -1
        self._takeable = NOTHING
