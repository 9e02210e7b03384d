"""What a pipeline's first stage draws from when its source is a plain iterable.

An iterable never waits, so a task that pumps it into a channel would only add a hop; the stage's workers draw from it
themselves, through the few methods of a channel that a stage uses.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Protocol

from wfrun.concurrency.errors import EndOfChannel
from wfrun.errors import ExitCode, WfrunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["SLICE_S", "Inbox", "IterableInbox", "SourceFailed"]

SLICE_S: Final = 0.001
"""About how long plain code of a pipeline keeps the event loop before others have a turn."""


class SourceFailed(WfrunError):
    """The source of a pipeline raised; its error is the cause."""

    exit_code = ExitCode.CASE_FAILED

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"the pipeline's source failed: {error!r}")


class Inbox(Protocol):
    """The receiving side of a channel, as far as a pipeline stage needs it."""

    async def receive(self) -> Any:  # noqa: ANN401 - whatever the source holds
        """Return the next item, or raise ``EndOfChannel``."""

    async def receive_many(self, max_items: int) -> list[Any]:
        """Return at least one and at most ``max_items`` items, or raise ``EndOfChannel``."""


class IterableInbox:
    """Draws items from ``iterable`` when they are asked for, as few or as many as are quickly there."""

    def __init__(self, iterable: Iterable[Any]) -> None:
        self._iterable: Iterable[Any] | None = iterable
        self._items: Iterator[Any] | None = None
        self._size = 1
        self._since_yield_s = 0.0

    async def receive(self) -> Any:  # noqa: ANN401 - whatever the iterable holds
        """Return the next item; errors are those of :meth:`receive_many`."""
        return (await self.receive_many(1))[0]

    async def receive_many(self, max_items: int) -> list[Any]:
        """Return the next items, fewer than ``max_items`` when the iterable is slow to yield them.

        Raises:
            EndOfChannel: There is none.
            SourceFailed: The iterable raised.
        """
        if self._since_yield_s > SLICE_S:
            self._since_yield_s = 0.0
            await asyncio.sleep(0)
        if self._iterable is None:
            raise EndOfChannel("the source has no more items")
        size = min(self._size, max_items)
        started_s = perf_counter()
        try:
            if self._items is None:
                self._items = iter(self._iterable)
            batch = list(islice(self._items, size))
        except Exception as error:
            raise SourceFailed(error) from error
        took_s = perf_counter() - started_s
        self._since_yield_s += took_s
        self._size = max(1, self._size // 2) if took_s > SLICE_S else min(2 * size, max_items)
        if not batch:
            self.close()
            raise EndOfChannel("the source has no more items")
        return batch

    def close(self) -> None:
        """Draw nothing more, and let go of the iterable."""
        self._iterable = self._items = None
