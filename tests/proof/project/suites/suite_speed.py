"""Each kind of work as a measured case."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ProcessPoolExecutor

from work import add_up, allocate, queue, wait, write_rows

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


@suite.case("SQLite writer", kinds=["performance"])
async def sqlite_case(context: Context) -> None:
    base = sqlite3.connect(context.folder / "rows.db")
    base.execute("create table rows (number integer, text text)")
    base.commit()
    with context.timed():
        write_rows(base)
    base.close()


@suite.case("Process pool", kinds=["performance"], pinned=False)
async def pool_case(context: Context) -> None:
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(2) as executor:
        await asyncio.gather(*(loop.run_in_executor(executor, add_up, 10) for _ in range(4)))
        with context.timed():
            await asyncio.gather(*(loop.run_in_executor(executor, add_up, 20_000) for _ in range(40)))
