"""What ``wfrun doctor --aa`` compares with itself: items through an asyncio queue to workers."""

import asyncio

from wfrun import Suite

ITEMS = 600
WORKERS = 4

suite = Suite("Doctor")


@suite.benchmark("Items through a queue to workers")
async def items_through_a_queue() -> None:
    """A producer, a bounded queue and four workers; some 2 ms."""
    queue: asyncio.Queue[int | None] = asyncio.Queue(maxsize=16)
    sums = [0] * WORKERS

    async def work(number: int) -> None:
        while (item := await queue.get()) is not None:
            sums[number] += item * item % 7

    workers = [asyncio.create_task(work(number)) for number in range(WORKERS)]
    for item in range(ITEMS):
        await queue.put(item)
    for _ in range(WORKERS):
        await queue.put(None)
    await asyncio.gather(*workers)
    assert sum(sums) == sum(item * item % 7 for item in range(ITEMS))  # noqa: S101 - a case checks by asserts
