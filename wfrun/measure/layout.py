"""Chance in where objects lie in memory, which otherwise is the same for all processes that do the same.

Two versions of a program lay their objects out differently, each the same way in every process, and where they lie
decides what shares a line of the processor's cache. That alone made one copy of a queue's work 1 to 2 % faster than
another in each of forty pairs of processes, which no number of pairs averages out. With some blocks of every size
taken before the program is loaded, another number in each process, it becomes chance between processes.

Sources: Mytkowicz, Diwan, Hauswirth, Sweeney: Producing Wrong Data Without Doing Anything Obviously Wrong!, ASPLOS
2009; Curtsinger, Berger: STABILIZER, ASPLOS 2013.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

__all__ = ["scattered"]

SMALLEST_BYTES: Final = 48
"""An object of bytes is never smaller."""
LARGEST_BYTES: Final = 512
"""Larger objects come from the system's allocator."""
STEP_BYTES: Final = 16
POOL_BYTES: Final = 16 * 1024
"""The interpreter takes memory for objects of one size in pools of this, so more blocks begin the same way again."""
HEAD_BYTES: Final = 33
LARGE: Final = 8
MOST_LARGE_BYTES: Final = 64 * 1024


def scattered(chance: random.Random) -> list[bytes]:
    """Return objects that take up room while they are held: a quarter of a megabyte of small ones, as much of large."""
    held = []
    for size in range(SMALLEST_BYTES, LARGEST_BYTES + 1, STEP_BYTES):
        held += [bytes(size - HEAD_BYTES) for _ in range(chance.randrange(POOL_BYTES // size))]
    held += [bytes(chance.randrange(MOST_LARGE_BYTES)) for _ in range(LARGE)]
    return held
