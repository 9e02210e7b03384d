"""More workers, more done: where work waits, with tasks of one event loop; where it computes, with processes."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, nullcontext
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from wfrun import Context, Suite
from wfrun.concurrency.channel import ChannelMode
from wfrun.concurrency.processes import ProcessWorkers

from .crunching import crunch, expected_remainder, processors
from .packets import check_exactly_once, make_packets, verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

    from .packets import Packet

suite = Suite("Scalability Tests", tags=("scalability",))

WAITING_ITEMS: Final = 10_000
WAIT_S: Final = 0.001
MEASURED_SHARE_S: Final = 0.2
"""A pass that is one of many is kept this short: as many items as fit into it."""
EFFICIENCY: Final = {1: 0.7, 2: 0.7, 4: 0.7, 8: 0.5, 16: 0.5}
"""By number of workers, the least share of the ideal of the waits."""

ITEMS_PER_PROCESS: Final = 48
"""Each takes about a millisecond of a processor."""
PROCESS_EFFICIENCY: Final = 0.5
TURNS: Final = 3


@suite.case(
    "Scaling with worker count",
    kinds=("e2e", "performance"),
    parameters={"workers": tuple(EFFICIENCY)},
    timeout_s=60,
)
async def worker_count(context: Context, workers: int) -> None:
    channels: ChannelTarget = context.target("channels")
    inbox: ChannelLike[Packet] = channels.create(1000, mode=ChannelMode.MPMC, name="work")
    items = round(MEASURED_SHARE_S / WAIT_S) * workers if context.measured else WAITING_ITEMS
    packets = list(make_packets(items, 64, context.seed))

    started_s = time.perf_counter()
    with context.timed():
        async with asyncio.TaskGroup() as group:
            group.create_task(send_all(inbox, packets), name="sender")
            tasks = [group.create_task(wait_for_each(inbox, context), name=f"worker {n}") for n in range(workers)]
    elapsed_s = time.perf_counter() - started_s

    done = [job for task in tasks for job in task.result()]
    check_exactly_once((packet_id for packet_id, _, _ in done), range(items))
    spans = [(start_s, end_s) for _, start_s, end_s in done]
    assert min(end_s - start_s for start_s, end_s in spans) > 0.9 * WAIT_S
    assert most_at_once(spans) == workers
    efficiency = items * WAIT_S / workers / elapsed_s
    context.count(items)
    context.note("efficiency", round(efficiency, 3))
    assert efficiency >= EFFICIENCY[workers]


async def send_all(inbox: ChannelLike[Packet], packets: Sequence[Packet]) -> None:
    """Send all ``packets``, then close."""
    for packet in packets:
        await inbox.send(packet)
    inbox.close()


async def wait_for_each(inbox: ChannelLike[Packet], context: Context) -> list[tuple[int, float, float]]:
    """Wait once for every packet; return their ids with the start and the end of the wait."""
    clock = context.clock
    done = []
    async for packet in inbox:
        start_s = clock.monotonic()
        await clock.sleep(WAIT_S)
        done.append((verify(packet).id, start_s, clock.monotonic()))
    return done


def most_at_once(spans: Sequence[tuple[float, float]]) -> int:
    """Return how many spans overlap where most do; one that begins where another ends does not overlap it."""
    steps = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    return max(accumulate(step for _, step in steps))


@suite.benchmark("Scaling with worker processes", pinned=False, timeout_s=120)
async def worker_processes(context: Context) -> None:
    most = processors()
    counts = sorted({1, most, *(2**power for power in range(most.bit_length()) if 2**power < most)})
    packets = list(make_packets(most * ITEMS_PER_PROCESS, 1024, context.seed))
    best_s: dict[int, float] = {}

    async with AsyncExitStack() as stack:
        crews = {count: await stack.enter_async_context(ProcessWorkers(crunch, workers=count)) for count in counts}
        for crew in crews.values():
            await work_off(crew, packets)  # they learn how long an item takes
        for _ in range(TURNS):
            for count, crew in crews.items():
                share = packets[: count * ITEMS_PER_PROCESS]
                started_s = time.perf_counter()
                with context.timed() if count == most else nullcontext():
                    await work_off(crew, share)
                elapsed_s = time.perf_counter() - started_s
                # Neighbours on the machine only ever add to a time, so the shortest is the nearest to the truth.
                best_s[count] = min(elapsed_s, best_s.get(count, elapsed_s))
    context.count(TURNS * most * ITEMS_PER_PROCESS)

    # Every process has as much to do whatever their number, so with perfect scaling all times are equal.
    efficiency = {count: best_s[1] / elapsed_s for count, elapsed_s in best_s.items()}
    context.note("efficiency", {str(count): round(value, 3) for count, value in efficiency.items()})
    assert min(efficiency.values()) >= PROCESS_EFFICIENCY


async def work_off(crew: ProcessWorkers[Packet, tuple[int, int]], packets: Sequence[Packet]) -> None:
    """Have ``packets`` crunched, and check every answer."""
    async with asyncio.TaskGroup() as group:
        group.create_task(crew.send_many(packets), name="sender")
        answers = [(await crew.receive()).result() for _ in packets]
    check_exactly_once((packet_id for packet_id, _ in answers), (packet.id for packet in packets))
    for packet_id, remainder in answers:
        assert remainder == expected_remainder(packets[packet_id].payload)
