"""How long each stage of a session took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["STAGES", "StageTimes"]

STAGES: Final = ("discover", "plan", "run", "record", "compare")
"""Those that a report can tell of; the report is the last."""


class StageTimes:
    """A stopwatch for the stages; one that is entered again adds to its time."""

    def __init__(self, monotonic_s: Callable[[], float] = time.perf_counter) -> None:
        self._monotonic_s = monotonic_s
        self.seconds: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        """By stage, in their order."""

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Count what happens inside to the stage, however it ends."""
        began_s = self._monotonic_s()
        try:
            yield
        finally:
            self.seconds[stage] += self._monotonic_s() - began_s
