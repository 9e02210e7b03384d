"""Work spread over nodes: simulated ones behind slow links, and real processes of which one is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from wfrun import Context, Suite
from wfrun.concurrency.channel import ChannelMode
from wfrun.concurrency.processes.workers import ProcessWorkers

from .nodes import Answer, Job, Node, compute_in_process, read_attempts, seal
from .packets import check_exactly_once, expected_digests, fold_digests, make_packets
from .plumbing import make_channel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

suite = Suite("Distributed Processing", tags=("distributed",))

ITEMS: Final = 1000
NODES: Final = 4
WORKERS: Final = 2
SIZE_BYTES: Final = 256
VICTIM: Final = 1
"""The node whose process is killed."""
HALF_WAY: Final = 501
"""A packet in the middle of the victim's share."""


@suite.case(
    "Multi-node workflow simulation",
    kinds=("e2e",),
    parameters={"capacity": (50, 1)},
    virtual_time=True,
)
async def multi_node(context: Context, capacity: int) -> None:
    channels: ChannelTarget = context.target("channels")
    nodes = [
        Node(number, channels, capacity=capacity, workers=WORKERS, clock=context.clock, rng=context.random)
        for number in range(NODES)
    ]
    start_s = context.clock.monotonic()

    async with asyncio.TaskGroup() as group:
        group.create_task(distribute(nodes, context.seed), name="distributor")
        for node in nodes:
            for worker in range(node.workers):
                group.create_task(node.work(worker), name=f"node {node.number} worker {worker}")
        collecting = [group.create_task(collect(node.outbox), name=f"collector {node.number}") for node in nodes]
    elapsed_s = context.clock.monotonic() - start_s

    answers = [task.result() for task in collecting]
    check_answers([answer for part in answers for answer in part], context.seed)
    assert [len(part) for part in answers] == [ITEMS // NODES] * NODES
    for node, part in zip(nodes, answers, strict=True):
        assert {answer.node for answer in part} == {node.number}
        assert {answer.worker for answer in part} == set(range(WORKERS))
        assert node.inbox.closed
        assert node.outbox.closed
        assert len(node.inbox) == len(node.outbox) == 0
    # The links took their time, and the nodes took theirs at once: eight workers, of whom never more than eight are
    # busy. One after the other, the hops alone would have lasted as long as all that was busy.
    busy_s = sum(end_s - start_s for node in nodes for start_s, end_s in node.busy_s)
    assert busy_s / (NODES * WORKERS) <= elapsed_s <= busy_s / NODES
    assert 0.008 < busy_s / ITEMS < 0.012, "two hops of 0 to 10 ms are 10 ms on average"
    context.count(ITEMS)
    context.note("busy_workers", round(busy_s / elapsed_s, 2))


async def distribute(nodes: Sequence[Node], seed: int) -> None:
    """Send every packet to the node whose turn it is, waiting where a node is full, then close all inboxes."""
    for packet in make_packets(ITEMS, SIZE_BYTES, seed):
        inbox = nodes[packet.id % len(nodes)].inbox
        await inbox.send(packet)
    for node in nodes:
        node.inbox.close()


async def collect(outbox: ChannelLike[Answer]) -> list[Answer]:
    """Return everything until the end."""
    return [answer async for answer in outbox]


@suite.case("Worker processes", kinds=("e2e",), pinned=False)
async def worker_processes(context: Context) -> None:
    channels: ChannelTarget = context.target("channels")
    results: ChannelLike[Answer] = make_channel(channels, 50, mode=ChannelMode.MPSC, name="results")
    last_words = context.folder / "last-words"
    os.mkfifo(last_words)

    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(ProcessWorkers(compute_in_process, workers=1, name=f"node {number}"))
            for number in range(NODES)
        ]
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(kill_who_speaks(last_words), name="killer")
            for number, node in enumerate(nodes):
                inbox: ChannelLike[Job] = make_channel(channels, 50, mode=ChannelMode.SPSC, name=f"into node {number}")
                group.create_task(supply(number, inbox, context.seed, context.folder), name=f"supplier {number}")
                group.create_task(forward(inbox, node), name=f"link {number}")
            collecting = group.create_task(collect(results), name="collector")
            await asyncio.gather(*(hand_in(node, results) for node in nodes))
            results.close()
        killed = killing.result()
        answers = collecting.result()
        statistics = [node.statistics() for node in nodes]

    check_answers(answers, context.seed)
    assert Counter(answer.node for answer in answers) == dict.fromkeys(range(NODES), ITEMS // NODES)

    # The files of attempts outlived the process that was killed: they tell what it had begun, and who took over.
    attempts = {number: read_attempts(attempts_path(context.folder, number)) for number in range(NODES)}
    at_death = [attempt.process for attempt in attempts[VICTIM] if attempt.packet_id == HALF_WAY]
    assert len(at_death) == 2
    assert at_death[0] == killed
    assert at_death[1] != killed
    processes = {number: {attempt.process for attempt in tried} for number, tried in attempts.items()}
    assert [len(processes[number]) for number in range(NODES)] == [
        2 if number == VICTIM else 1 for number in range(NODES)
    ]
    for number, tried in attempts.items():
        began = Counter(attempt.packet_id for attempt in tried)
        assert began.keys() == set(range(number, ITEMS, NODES))
        assert number == VICTIM or set(began.values()) == {1}
    by_killed = [answer for answer in answers if answer.worker == killed]
    begun_by_killed = sum(attempt.process == killed for attempt in attempts[VICTIM])
    assert 0 < begun_by_killed < ITEMS // NODES, "it was killed half-way"
    assert len(by_killed) < begun_by_killed, "one packet at least had to be redone"
    assert statistics[VICTIM].restarts == 1
    assert statistics[VICTIM].redone >= 1
    assert all(each.restarts == each.redone == 0 for number, each in enumerate(statistics) if number != VICTIM)
    context.count(ITEMS)
    context.note("redone", statistics[VICTIM].redone)


async def supply(node: int, inbox: ChannelLike[Job], seed: int, folder: Path) -> None:
    """Send the node's share of the packets; at one of them the victim speaks its last words."""
    path = str(attempts_path(folder, node))
    for packet in make_packets(ITEMS, SIZE_BYTES, seed):
        if packet.id % NODES == node:
            fatal = str(folder / "last-words") if packet.id == HALF_WAY else ""
            await inbox.send(Job(node, packet, path, fatal))
    inbox.close()


async def forward(inbox: ChannelLike[Job], node: ProcessWorkers[Job, Answer]) -> None:
    """Hand the node what arrives at its inbox, then close it."""
    async for job in inbox:
        await node.send(job)
    node.close()


async def hand_in(node: ProcessWorkers[Job, Answer], results: ChannelLike[Answer]) -> None:
    """Send the node's answers to ``results`` until the node has ended."""
    async for outcome in node:
        await results.send(outcome.result())


async def kill_who_speaks(last_words: Path) -> int:
    """Wait until a process writes its id into the pipe, kill it as nothing can be refused, and return the id."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    pipe = os.open(last_words, os.O_RDWR | os.O_NONBLOCK)  # also to write, so that it never reads as ended
    loop.add_reader(pipe, readable.set)
    try:
        await readable.wait()
        process = int(os.read(pipe, 64))
    finally:
        loop.remove_reader(pipe)
        os.close(pipe)
    os.kill(process, signal.SIGKILL)
    return process


def attempts_path(folder: Path, node: int) -> Path:
    """Return where the processes of a node write down what they begin."""
    return folder / f"attempts-of-node-{node}"


def check_answers(answers: Sequence[Answer], seed: int) -> None:
    """Compare every answer with a computation of its own: each packet once, whole, and from the right node."""
    expected = expected_digests(ITEMS, SIZE_BYTES, seed)
    check_exactly_once((answer.digest.id for answer in answers), expected)
    assert fold_digests(answer.digest for answer in answers) == fold_digests(expected.values())
    payloads = {packet.id: packet.payload for packet in make_packets(ITEMS, SIZE_BYTES, seed)}
    for answer in answers:
        assert answer.node == answer.digest.id % NODES
        assert answer.seal == seal(answer.node, payloads[answer.digest.id])
