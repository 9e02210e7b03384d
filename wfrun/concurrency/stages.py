"""What a pipeline is made of: stages as they are declared, counted and blamed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from wfrun.errors import ExitCode, UsageError, WfrunError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NO_ITEM", "Stage", "StageFailed", "StageKind", "StageStatistics"]

NO_ITEM: Final = object()


class StageKind(Enum):
    """How many items leave a stage for those that enter it."""

    MAP = "map"
    FLAT_MAP = "flat_map"
    FILTER = "filter"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a pipeline; make it with :meth:`map`, :meth:`flat_map`, :meth:`filter` or :meth:`batch`.

    Functions are plain or async; where the declaration does not say, what the first call returns decides. Of several
    workers' results, ``ordered`` ones leave in the order of their inputs; others as they are ready.
    """

    kind: StageKind
    function: Callable[[Any], Any]
    name: str
    workers: int = 1
    ordered: bool = True
    size: int = 0
    """Items in a batch; 0 for the other kinds."""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError(f"stage {self.name!r} with {self.workers} workers would do nothing; give at least 1")
        if self.kind is StageKind.BATCH and self.size < 1:
            raise UsageError(f"batches of {self.size} items would hold nothing; give at least 1")

    @property
    def at_once(self) -> int:
        """How many of its workers may be at one of its channels at the same time; in order they take turns."""
        return 1 if self.ordered else self.workers

    @classmethod
    def map(
        cls, function: Callable[[Any], Any], *, workers: int = 1, ordered: bool = True, name: str | None = None
    ) -> Stage:
        """Return a stage that sends what ``function`` makes of each item."""
        return cls(StageKind.MAP, function, _name(name, function), workers, ordered)

    @classmethod
    def flat_map(
        cls, function: Callable[[Any], Any], *, workers: int = 1, ordered: bool = True, name: str | None = None
    ) -> Stage:
        """Return a stage that sends each element of the iterable or async iterable that ``function`` makes of an item.

        Generators are drawn only as far as there is room, so they may be endless.
        """
        return cls(StageKind.FLAT_MAP, function, _name(name, function), workers, ordered)

    @classmethod
    def filter(
        cls, function: Callable[[Any], Any], *, workers: int = 1, ordered: bool = True, name: str | None = None
    ) -> Stage:
        """Return a stage that sends the items for which ``function`` is true."""
        return cls(StageKind.FILTER, function, _name(name, function), workers, ordered)

    @classmethod
    def batch(cls, size: int, *, name: str | None = None) -> Stage:
        """Return a stage that sends lists of ``size`` items; the last may be shorter. It waits until a list is full."""
        return cls(StageKind.BATCH, _unchanged, name or f"batch({size})", size=size)


@dataclass(frozen=True, slots=True)
class StageStatistics:
    """What one stage has done so far."""

    name: str
    workers: int
    received: int
    sent: int
    busy_s: float
    """Seconds in its function, over all workers. For an async function these are the loop's, waits included."""
    high_water_mark: int
    """The most items that waited in the channel before it; 0 when it draws from a plain iterable."""


class StageFailed(WfrunError):
    """A stage's function raised; its error is the cause. ``item`` is what it was given."""

    exit_code = ExitCode.CASE_FAILED

    def __init__(self, stage: str, error: BaseException, item: object = NO_ITEM) -> None:
        at = "" if item is NO_ITEM else f" on item {item!r:.200}"
        super().__init__(f"stage {stage!r} failed{at}: {error!r}")
        self.stage = stage
        self.item = None if item is NO_ITEM else item


def _name(name: str | None, function: Callable[[Any], Any]) -> str:
    return name if name is not None else getattr(function, "__name__", type(function).__name__)


def _unchanged(item: object) -> object:
    return item
