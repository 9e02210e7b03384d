"""What a task leaves behind while it waits at a channel."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Ending", "Parked"]


class Ending(Enum):
    """Why a wait ended without the operation."""

    EXPIRED = "expired"
    CLOSED = "closed"


class Parked:
    """One waiting operation. Its future ends with this object when the operation went through, else with an `Ending`.

    A sender leaves its items here, and whoever makes room takes them over, in order, from ``start`` on. ``select``
    parks several of these on one shared future: the first that ends it has committed, the others are passed over.
    """

    __slots__ = ("future", "items", "start", "task")

    def __init__(self, future: asyncio.Future[Parked | Ending], items: Sequence[Any] = ()) -> None:
        self.future: Final = future
        self.items: Final = items
        self.start = 0
        self.task: Final = asyncio.current_task()


def expire(future: asyncio.Future[Parked | Ending]) -> None:
    """End a timed wait, unless something else ended it first: exactly one of the two happens."""
    if not future.done():
        future.set_result(Ending.EXPIRED)
