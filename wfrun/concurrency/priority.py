"""A channel that gives out the most urgent item first."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from wfrun.concurrency.channel_facts import ChannelMode
from wfrun.concurrency.entry_channel import EntryChannel
from wfrun.concurrency.errors import InvalidMeasure

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PriorityChannel"]

T = TypeVar("T")


class PriorityChannel(EntryChannel[T]):
    """A bounded channel whose items come out lowest priority number first, and in the order sent where it is equal.

    Only what is buffered is ordered: senders that wait for room are let in in the order of their arrival, and an item
    handed to a waiting receiver stays with it, whatever comes after. Otherwise as :class:`Channel`.

    Args:
        capacity: Most items buffered at once, at least 1; ``None`` for no bound.
        priority: Returns an item's number; called once for each item, when it is sent.
        mode: How many tasks may send and receive at once.
        name: Shown in errors and diagnoses.

    Raises:
        InvalidCapacity: ``capacity`` is 0 or negative.
    """

    __slots__ = ("_heap", "_order", "_priority")

    _KIND: ClassVar = "priority channel"

    def __init__(
        self,
        capacity: int | None = 100,
        *,
        priority: Callable[[T], float],
        mode: ChannelMode = ChannelMode.MPMC,
        name: str = "",
    ) -> None:
        super().__init__(capacity, mode=mode, name=name)
        self._priority: Final = priority
        self._order: Final = itertools.count()
        self._heap: list[tuple[float, int, T]] = []

    def _enter(self, item: T) -> tuple[float, int, T]:
        number: object = self._priority(item)
        if not isinstance(number, int | float) or number != number:  # noqa: PLR0124 - NaN alone differs from itself
            raise InvalidMeasure(
                f"{self._label()} gave an item of type {type(item).__name__} the priority {number!r}; "
                "a priority is a number, the lowest first"
            )
        return number, next(self._order), item

    def _leave(self, entry: Any) -> T:  # noqa: ANN401 - what the base promises
        return cast("T", entry[2])

    def _store(self, item: Any) -> bool:  # noqa: ANN401 - an entry
        if self._capacity is not None and self._elsewhere >= self._capacity:
            return False
        self._push(item)
        return True

    def _pop(self) -> Any:  # noqa: ANN401 - an entry
        self._elsewhere -= 1
        return heapq.heappop(self._heap)

    def _put_back(self, items: list[Any]) -> None:
        # Entries carry the order in which they were sent, so they find their old places.
        for entry in items:
            self._push(entry)

    def _push(self, entry: tuple[float, int, T]) -> None:
        heapq.heappush(self._heap, entry)
        self._elsewhere += 1
        self._high_water_mark = max(self._high_water_mark, self._elsewhere)
