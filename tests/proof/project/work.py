"""Work of several kinds; how much of it there is, is the one thing in which two copies of this project differ.

Of each kind there is enough for what does not grow with it, a call or a hand-over, to be a small part of the whole.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

SCALE = float((Path(__file__).parent / "scale.txt").read_text())


def items(count: int) -> int:
    """Return how many items there are in this copy, where the other has ``count``."""
    return round(count * SCALE)


async def queue() -> None:
    """Move items from a producer to two workers."""
    channel: asyncio.Queue[int | None] = asyncio.Queue(32)

    async def work() -> None:
        while await channel.get() is not None:
            sum(range(10))

    workers = [asyncio.create_task(work()) for _ in range(2)]
    for number in range(items(4000)):
        await channel.put(number)
    for _ in workers:
        await channel.put(None)
    await asyncio.gather(*workers)


def allocate() -> None:
    """Make many small objects, keep some hundreds of them at a time, and make a text of every fourth."""
    kept = []
    for number in range(items(2000)):
        kept.append({"id": number, "values": [number] * 8, "name": str(number)})
        if number % 4 == 0:
            json.dumps(kept[-1])
        if len(kept) == 500:
            kept.clear()


async def wait() -> None:
    """Sleep a fifth of a millisecond, a hundred times."""
    for _ in range(items(100)):
        await asyncio.sleep(0.0002)


def add_up(count: int) -> int:
    """Do nothing but arithmetic."""
    total = 0
    for number in range(items(count)):
        total += number & 7
    return total


def database(path: Path) -> sqlite3.Connection:
    """Make a database for one writer: a log written ahead, so that readers go on meanwhile."""
    base = sqlite3.connect(path)
    base.execute("pragma journal_mode = wal")
    base.execute("pragma synchronous = normal")
    base.execute("create table rows (number integer, text text)")
    base.commit()
    return base


def write_rows(base: sqlite3.Connection) -> None:
    """Insert rows, ten a transaction."""
    for number in range(items(1000)):
        base.execute("insert into rows values (?, ?)", (number, "x" * 50))
        if number % 10 == 9:
            base.commit()
    base.commit()
