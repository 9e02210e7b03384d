"""Work that passes several stages: a pipeline of packets, and the kinds of stages and channels that shape a flow."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wfrun import Context, Suite, create_processing_pipeline
from wfrun.concurrency.channel import ChannelMode
from wfrun.concurrency.errors import Unsupported
from wfrun.concurrency.pipeline import Pipeline, Stage

from .packets import (
    DamagedPacket,
    Digest,
    Packet,
    check_exactly_once,
    digest_packet,
    expected_digests,
    fold_digests,
    make_packet,
    make_packets,
    verify,
)
from .plumbing import make_channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from random import Random

    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

suite = Suite("Workflow Orchestration", tags=["pipeline"])

PACKETS = 1000
PACKET_BYTES = 1024


@suite.case("Multi-stage data processing pipeline", kinds=["e2e"])
async def multi_stage_pipeline(context: Context) -> None:
    """1,000 packets of 1 KiB go through ingest, process and aggregate over three channels of capacity 100."""
    pipeline = create_processing_pipeline([ingest, process, aggregate], channels=context.target("channels"))

    (arrived,) = await pipeline.run(make_packets(PACKETS, PACKET_BYTES, context.seed))

    expected = expected_digests(PACKETS, PACKET_BYTES, context.seed)
    check_exactly_once([digest.id for digest in arrived], expected)
    assert fold_digests(arrived) == fold_digests(expected.values())
    assert sum(digest.size_bytes for digest in arrived) == PACKETS * PACKET_BYTES
    assert [channel.capacity for channel in pipeline.channels] == [100, 100, 100]
    for channel in pipeline.channels:
        assert channel.closed
        assert len(channel) == 0
    _check_counts(pipeline.channels)
    context.count(PACKETS)


def ingest(packet: Packet) -> Packet:
    return verify(packet)


async def process(packet: Packet) -> Digest:
    return digest_packet(packet)


async def aggregate(digests: AsyncIterator[Digest]) -> AsyncIterator[list[Digest]]:
    # What was received, nothing more: counting and folding are for the check, which compares with another source.
    yield [digest async for digest in digests]


def _check_counts(channels: tuple[ChannelLike[Any], ...]) -> None:
    """Compare the channels' own books with what must have gone through, where the target keeps any."""
    try:
        books = [channel.statistics() for channel in channels]
    except Unsupported:
        return
    assert [(book.sent, book.received, book.buffered) for book in books] == [
        (PACKETS, PACKETS, 0),
        (PACKETS, PACKETS, 0),
        (1, 1, 0),
    ]
    assert all(book.high_water_mark <= 100 for book in books)


ITEMS = 10_000
DAMAGED = 1000
BATCH = 100
HIGH, LOW = 0, 1


@suite.case("Stream stages", kinds=["e2e"])
async def stream_stages(context: Context) -> None:
    """10,000 items are mapped, filtered and batched, then routed by parity; and urgent items overtake ordinary ones."""
    channels = context.target("channels")

    await _urgent_before_ordinary(channels)
    batches = await _map_filter_batch(context.random)
    await _route_by_parity(channels, [digest for batch in batches for digest in batch])
    context.count(ITEMS)


async def _map_filter_batch(random: Random) -> list[list[Digest]]:
    """Send good packets mixed with damaged ones through map, filter and batch; return the batches."""
    sent, good = _mixed_packets(random)

    batches = await Pipeline(
        [Stage.map(_digest_or_none), Stage.filter(lambda digest: digest is not None), Stage.batch(BATCH)]
    ).collect(sent)

    assert len(batches) == ITEMS // BATCH == 100
    assert {len(batch) for batch in batches} == {BATCH}
    # In order, so a batch also holds the right items and not only as many.
    assert [digest.id for batch in batches for digest in batch] == good
    return batches


def _mixed_packets(random: Random) -> tuple[list[Packet], list[int]]:
    """Return 10,000 good packets with ids from 0 and 1,000 damaged ones at random places, and the good ones' ids."""
    packets = [make_packet(id_, 64, random) for id_ in range(ITEMS)]
    for id_ in range(ITEMS, ITEMS + DAMAGED):
        packet = make_packet(id_, 64, random)
        flipped = bytes([packet.payload[0] ^ 1]) + packet.payload[1:]
        packets.insert(random.randrange(len(packets)), replace(packet, payload=flipped))
    return packets, list(range(ITEMS))


def _digest_or_none(packet: Packet) -> Digest | None:
    try:
        return digest_packet(packet)
    except DamagedPacket:
        return None


async def _route_by_parity(channels: ChannelTarget, digests: list[Digest]) -> None:
    """Send each digest down the route of its parity and look at what arrives at the two ends."""
    source = make_channel(channels, 100, ChannelMode.SPSC, "source")
    routes = [make_channel(channels, 100, ChannelMode.SPSC, name) for name in ("even", "odd")]

    async def feed() -> None:
        for digest in digests:
            await source.send(digest)
        source.close()

    async def route() -> None:
        async for digest in source:
            await routes[digest.id % 2].send(digest)
        for channel in routes:
            channel.close()

    async with asyncio.TaskGroup() as group:
        group.create_task(feed())
        group.create_task(route())
        ends = [group.create_task(_received(channel)) for channel in routes]
    even, odd = (end.result() for end in ends)

    assert abs(len(even) - len(odd)) <= 1
    assert [digest.id for digest in even] == list(range(0, ITEMS, 2))
    assert [digest.id for digest in odd] == list(range(1, ITEMS, 2))
    assert fold_digests([*even, *odd]) == fold_digests(digests)


async def _urgent_before_ordinary(channels: ChannelTarget) -> None:
    """50 urgent and 100 ordinary items, sent interleaved, come out by urgency and in order within it."""
    sent = list(_interleaved())
    channel = channels.create_priority(200, priority=lambda item: item[0], name="urgency")
    for item in sent:
        await channel.send(item)
    channel.close()

    received = await _received(channel)

    assert received == [(HIGH, number) for number in range(50)] + [(LOW, number) for number in range(100)]
    assert received != sent


def _interleaved() -> Iterator[tuple[int, int]]:
    """Yield two ordinary items for each urgent one, each kind numbered from 0."""
    for number in range(50):
        yield LOW, 2 * number
        yield HIGH, number
        yield LOW, 2 * number + 1


async def _received(channel: ChannelLike[Any]) -> list[Any]:
    return [item async for item in channel]
