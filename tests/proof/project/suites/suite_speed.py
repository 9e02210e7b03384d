"""Each kind of work as a measured case."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from work import add_up, allocate, database, queue, wait, write_rows

from wfrun import Context, Suite

suite = Suite("Speed")


@suite.case("Queue", kinds=["performance"])
async def queue_case() -> None:
    await queue()


@suite.case("Allocations", kinds=["performance"])
async def allocations_case() -> None:
    allocate()


@suite.case("Waiting", kinds=["performance"])
async def waiting_case() -> None:
    await wait()


@suite.case("One millisecond", kinds=["performance"])
async def millisecond_case() -> None:
    add_up(40_000)


@suite.case("Fifty milliseconds", kinds=["performance"])
async def fifty_case() -> None:
    add_up(2_000_000)


@suite.fixture(scope="suite")
def rows(context: Context) -> Iterator[sqlite3.Connection]:
    base = database(context.folder / "rows.db")
    yield base
    base.close()


@suite.case("SQLite writer", kinds=["performance"])
async def sqlite_case(rows: sqlite3.Connection) -> None:
    write_rows(rows)


@suite.fixture(scope="suite")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2) as executor:
        # It starts a process for each task that finds none idle.
        list(executor.map(add_up, [10_000] * 8))
        yield executor


@suite.case("Process pool", kinds=["performance"], pinned=False)
async def pool_case(pool: ProcessPoolExecutor) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(pool, add_up, 640_000) for _ in range(2)))
