"""More workers, more done: where work waits, with tasks of one event loop; where it computes, with processes."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from wfrun import Context, Suite
from wfrun.concurrency.processes.workers import ProcessWorkers

from .crunching import crunch, expected_remainder
from .neighbours import busy_s, processors, queued_s
from .packets import check_exactly_once, make_packets, verify
from .plumbing import make_channel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

    from .crunching import Crunched
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
    inbox: ChannelLike[Packet] = make_channel(channels, 1000, name="work")
    items = round(MEASURED_SHARE_S / WAIT_S) * workers if context.measured else WAITING_ITEMS
    packets = list(make_packets(items, 64, context.seed))

    started_s, started_queued_s = time.perf_counter(), queued_s()
    with context.timed():
        async with asyncio.TaskGroup() as group:
            group.create_task(send_all(inbox, packets), name="sender")
            tasks = [group.create_task(wait_for_each(inbox, context), name=f"worker {n}") for n in range(workers)]
    elapsed_s = time.perf_counter() - started_s
    others_s = queued_s() - started_queued_s

    done = [job for task in tasks for job in task.result()]
    check_exactly_once((packet_id for packet_id, _, _ in done), range(items))
    spans = [(start_s, end_s) for _, start_s, end_s in done]
    assert min(end_s - start_s for start_s, end_s in spans) > 0.9 * WAIT_S
    assert most_at_once(spans) == workers
    # While others had the processor the workers could not have been quicker, whatever they ran on.
    efficiency = items * WAIT_S / workers / (elapsed_s - others_s)
    context.count(items)
    context.note("efficiency", round(efficiency, 3))
    context.note("efficiency_among_neighbours", round(items * WAIT_S / workers / elapsed_s, 3))
    assert context.counted or efficiency >= EFFICIENCY[workers]


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
    most = len(processors())
    counts = sorted({1, most, *(2**power for power in range(most.bit_length()) if 2**power < most)})
    packets = list(make_packets(most * ITEMS_PER_PROCESS, 1024, context.seed))
    turns: dict[int, list[Turn]] = {count: [] for count in counts}

    async with AsyncExitStack() as stack:
        crews = {count: await stack.enter_async_context(ProcessWorkers(crunch, workers=count)) for count in counts}
        for crew in crews.values():
            await work_off(crew, packets, nullcontext())  # they learn how long an item takes
        for _ in range(TURNS):
            for count, crew in crews.items():
                share = packets[: count * ITEMS_PER_PROCESS]
                turns[count].append(await work_off(crew, share, context.timed() if count == most else nullcontext()))
    context.count(TURNS * most * ITEMS_PER_PROCESS)

    # What an item is worth is what it takes of a processor while no other process of ours competes for anything.
    item_cpu_s = min(turn.cpu_s for turn in turns[1]) / ITEMS_PER_PROCESS
    efficiency = {}
    for count in counts:
        elapsed_s = sum(turn.elapsed_s for turn in turns[count])
        others_s = sum(turn.others_s for turn in turns[count])
        # Nobody can use a processor that somebody else is using.
        usable = min(count, most - others_s / elapsed_s)
        efficiency[count] = TURNS * count * ITEMS_PER_PROCESS * item_cpu_s / elapsed_s / usable
    context.note("efficiency", {str(count): round(value, 3) for count, value in efficiency.items()})
    assert context.counted or min(efficiency.values()) >= PROCESS_EFFICIENCY


@dataclass(frozen=True, slots=True)
class Turn:
    """One share of packets, worked off."""

    elapsed_s: float
    cpu_s: float
    """What the packets took of the processors."""
    others_s: float
    """What everything but this case took of them."""


async def work_off(
    crew: ProcessWorkers[Packet, Crunched], packets: Sequence[Packet], timed: AbstractContextManager[None]
) -> Turn:
    """Have ``packets`` crunched, inside ``timed``, then check every answer; say what it took."""
    started_s, started_busy_s, started_own_s = time.perf_counter(), busy_s(), time.process_time()
    with timed:
        async with asyncio.TaskGroup() as group:
            group.create_task(crew.send_many(packets), name="sender")
            answers = [(await crew.receive()).result() for _ in packets]
    elapsed_s = time.perf_counter() - started_s
    cpu_s = sum(answer.cpu_s for answer in answers)
    own_s = time.process_time() - started_own_s + cpu_s
    others_s = busy_s() - started_busy_s - own_s

    check_exactly_once((answer.id for answer in answers), (packet.id for packet in packets))
    for answer in answers:
        assert answer.remainder == expected_remainder(packets[answer.id].payload)
    return Turn(elapsed_s, cpu_s, max(0.0, others_s))
