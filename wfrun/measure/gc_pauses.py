"""How often the garbage collector stops a process, and for how long."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GcFigures", "GcPauses"]


@dataclass(frozen=True, slots=True)
class GcFigures:
    """Pauses of one generation, or of all together."""

    count: int = 0
    total_ns: int = 0
    max_ns: int = 0


class GcPauses:
    """Measures every collection between :meth:`start` and :meth:`stop`, also those asked for by ``gc.collect()``.

    ``with GcPauses() as pauses:`` does both. Starting again goes on adding up. Pauses of all threads count, because a
    collection holds the whole interpreter.
    """

    def __init__(self) -> None:
        self._by_generation: dict[int, GcFigures] = {}
        self._started_ns: int | None = None

    def start(self) -> None:
        """Listen from now on; starting twice is starting once."""
        if self._on_collection not in gc.callbacks:
            gc.callbacks.append(self._on_collection)

    def stop(self) -> None:
        """Stop listening; what was measured stays."""
        if self._on_collection in gc.callbacks:
            gc.callbacks.remove(self._on_collection)
        self._started_ns = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def by_generation(self) -> Mapping[int, GcFigures]:
        """What each generation that was collected cost so far."""
        return dict(sorted(self._by_generation.items()))

    def figures(self) -> GcFigures:
        """Return what all generations cost together so far."""
        parts = tuple(self._by_generation.values())
        return GcFigures(
            count=sum(part.count for part in parts),
            total_ns=sum(part.total_ns for part in parts),
            max_ns=max((part.max_ns for part in parts), default=0),
        )

    def _on_collection(self, phase: str, info: Mapping[str, int]) -> None:
        if phase == "start":
            self._started_ns = time.perf_counter_ns()
            return
        if self._started_ns is None:
            return  # it began before this listened
        pause_ns = time.perf_counter_ns() - self._started_ns
        self._started_ns = None
        before = self._by_generation.get(info["generation"], GcFigures())
        self._by_generation[info["generation"]] = GcFigures(
            before.count + 1, before.total_ns + pause_ns, max(before.max_ns, pause_ns)
        )
