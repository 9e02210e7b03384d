"""Work for the processor, with an answer that can be had in another and much faster way."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .packets import verify

if TYPE_CHECKING:
    from .packets import Packet

__all__ = ["Crunched", "busy_s", "crunch", "expected_remainder", "processors"]

PRIME: Final = 2**61 - 1
ROUNDS: Final = 16
"""With a payload of 1 KiB one packet takes about a millisecond."""


@dataclass(frozen=True, slots=True)
class Crunched:
    """The answer to one packet."""

    id: int
    remainder: int
    cpu_s: float
    """What it took of a processor."""


def crunch(packet: Packet) -> Crunched:
    """Return the remainder of the packet's payload, ``ROUNDS`` times over, read as one number: byte by byte."""
    started_s = time.process_time()
    verify(packet)
    remainder = 0
    for _ in range(ROUNDS):
        for byte in packet.payload:
            remainder = (remainder * 256 + byte) % PRIME
    return Crunched(packet.id, remainder, time.process_time() - started_s)


def expected_remainder(payload: bytes) -> int:
    """Return the same remainder by the arithmetic of large integers."""
    return int.from_bytes(payload * ROUNDS, "big") % PRIME


def processors() -> list[int]:
    """Return the numbers of the processors that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def busy_s() -> float:
    """Return for how long the processors that this process may use have been busy with anything, in all.

    Where the system does not tell, 0: then nobody else is taken to use them.
    """
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except OSError:
        return 0.0
    ours = {f"cpu{number}" for number in processors()}
    ticks = 0
    for name, *fields in map(str.split, lines):
        if name in ours:
            user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")
