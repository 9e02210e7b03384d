"""Work for the processor, with an answer that can be had in another and much faster way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from .packets import verify

if TYPE_CHECKING:
    from .packets import Packet

__all__ = ["crunch", "expected_remainder", "processors"]

PRIME: Final = 2**61 - 1
ROUNDS: Final = 16
"""With a payload of 1 KiB one packet takes about a millisecond."""


def crunch(packet: Packet) -> tuple[int, int]:
    """Return the packet's id, and the remainder of its payload, ``ROUNDS`` times over, read as one number.

    The remainder is worked out byte by byte.
    """
    verify(packet)
    remainder = 0
    for _ in range(ROUNDS):
        for byte in packet.payload:
            remainder = (remainder * 256 + byte) % PRIME
    return packet.id, remainder


def expected_remainder(payload: bytes) -> int:
    """Return the same remainder by the arithmetic of large integers."""
    return int.from_bytes(payload * ROUNDS, "big") % PRIME


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
