"""A fixed piece of pure Python whose duration tells how fast this processor is right now."""

from __future__ import annotations

import time
from typing import Final

__all__ = ["calibrate"]

STEPS: Final = 25_000
"""About 2 to 4 ms on machines of today. Changing it, or the loop, makes stored calibrations incomparable."""


def calibrate(rounds: int = 5) -> list[int]:
    """Return how long each of ``rounds`` runs of the fixed loop took, in nanoseconds of wall time.

    The least of them tells the processor's speed for this interpreter; how far the others lie above it tells how
    noisy the machine is. The loop only computes with small integers: it allocates no containers, so neither the
    garbage collector nor the state of the memory changes it.
    """
    durations_ns = []
    for _ in range(rounds):
        started_ns = time.perf_counter_ns()
        spin(STEPS)
        durations_ns.append(time.perf_counter_ns() - started_ns)
    return durations_ns


def spin(steps: int) -> int:
    """Return the ``steps``-th number of a fixed random sequence; the same on every machine."""
    state = 1
    for _ in range(steps):
        state = (state * 1_103_515_245 + 12_345) & 0x3FFF_FFFF
    return state
