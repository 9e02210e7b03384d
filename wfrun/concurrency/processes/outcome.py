"""What process workers deliver for an item, and what they count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from wfrun.concurrency.processes.errors import WorkerItemFailed

__all__ = ["Outcome", "WorkersStatistics"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T, R]):
    """What came of one item."""

    item_id: int
    """The item's position in the order of acceptance, from 0."""
    item: T
    """The very object that was sent."""
    value: R | None
    """What the function returned; None when ``error`` is set."""
    error: WorkerItemFailed | None
    deaths: int
    """How many workers died while they were at this item."""

    def result(self) -> R:
        """Return what the function returned.

        Raises:
            WorkerItemFailed: The function raised, item or result could not be pickled, or its workers died.
        """
        if self.error is not None:
            raise self.error
        # Without an error it is an R, and that may well be None.
        return cast("R", self.value)


@dataclass(frozen=True, slots=True)
class WorkersStatistics:
    """What went through process workers so far. ``sent`` is the sum of the four fields that follow it."""

    sent: int
    """Items accepted."""
    waiting: int
    """Items that wait for a worker."""
    running: int
    """Items that are with a worker."""
    finished: int
    """Outcomes that wait to be received."""
    received: int
    """Outcomes taken out."""
    failed: int
    """Outcomes with an error, received or not."""
    redone: int
    """Items handed out once more because their worker died; an item counts each time."""
    restarts: int
    """Processes started in the place of dead ones."""
    processes: tuple[int, ...]
    """Ids of the processes that work now."""
    closed: bool
