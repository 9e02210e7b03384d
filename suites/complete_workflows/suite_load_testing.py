"""Workflows under load: many producers and consumers, large objects in little memory, latency against load."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from wfrun import Context, MemorySpan, Suite
from wfrun.concurrency.channel import ChannelMode
from wfrun.measure.memory import peak_rss_bytes

from .digest_service import DigestService
from .load_curve import measure_curve
from .packets import (
    Digest,
    Packet,
    check_exactly_once,
    digest_packet,
    expected_digests,
    fold_digests,
    make_packets,
    make_repetitive_packet,
    verify,
)
from .plumbing import make_channel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wfrun.concurrency.targets import ChannelLike, ChannelTarget

suite = Suite("Load Testing", tags=["load"])

MIB: Final = 2**20

# High throughput

PRODUCERS = CONSUMERS = 4
BATCHES_EACH = 1000
BATCHES = PRODUCERS * BATCHES_EACH
BATCH_BYTES = 2048


@suite.case("High-throughput workflow", kinds=["e2e", "performance"])
async def high_throughput(context: Context) -> None:
    """4 producers and 4 consumers move 4,000 batches through two channels of capacity 1,000, both read."""
    flow = _Flow(context)

    started_s = time.perf_counter()
    with context.timed():
        digests = await flow.run()
    took_s = time.perf_counter() - started_s

    expected = expected_digests(BATCHES, BATCH_BYTES, context.seed)
    check_exactly_once([digest.id for digest in digests], range(BATCHES))
    assert fold_digests(digests) == fold_digests(expected.values())
    assert len(flow.inputs) == len(flow.outputs) == 0
    context.count(BATCHES)
    if context.measured and not context.counted:
        assert BATCHES / took_s > 1000


class _Flow:
    """Producers, inputs, consumers, outputs, and a collector: outputs that nobody reads would stop everybody."""

    def __init__(self, context: Context) -> None:
        channels = context.target("channels")
        self.inputs = make_channel(channels, 1000, ChannelMode.MPMC, "inputs")
        self.outputs = make_channel(channels, 1000, ChannelMode.MPMC, "outputs")
        self._record_latency_ns = context.record_latency_ns
        self._shares = [
            list(make_packets(BATCHES_EACH, BATCH_BYTES, context.seed, first_id=number * BATCHES_EACH))
            for number in range(PRODUCERS)
        ]

    async def run(self) -> list[Digest]:
        """Move everything and return what arrived; the time of each batch from before its send is recorded."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_then_close(self.inputs, [self._produce(share) for share in self._shares]))
            group.create_task(_then_close(self.outputs, [self._consume() for _ in range(CONSUMERS)]))
            return await self._collect()

    async def _produce(self, batches: list[Packet]) -> None:
        for batch in batches:
            await self.inputs.send((time.perf_counter_ns(), batch))

    async def _consume(self) -> None:
        async for sent_ns, batch in self.inputs:
            await self.outputs.send((sent_ns, digest_packet(batch)))

    async def _collect(self) -> list[Digest]:
        arrived = []
        async for sent_ns, digest in self.outputs:
            self._record_latency_ns(time.perf_counter_ns() - sent_ns)
            arrived.append(digest)
        return arrived


async def _then_close(channel: ChannelLike[Any], works: Iterable[Any]) -> None:
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(work)
    channel.close()


# Memory pressure

PEAK_BYTES: Final = 500 * MIB
KEPT_BYTES: Final = 1 * MIB
IN_FLIGHT_BYTES: Final = 150 * MIB
"""With the object being made and the one being processed, at most 99 MiB each, that stays far below the peak."""

ONE_MIB_EACH: Final = "1MiB"
GROWING: Final = "0-99MiB"


@suite.case(
    "Memory pressure workflow",
    kinds=["e2e", "performance"],
    parameters={"objects": [ONE_MIB_EACH, GROWING]},
    own_process=True,
)
async def memory_pressure(context: Context, objects: str) -> None:
    """100 objects of 1 MiB through a channel of 10; and objects of 0 to 99 MiB through one bounded by bytes."""
    channels = context.target("channels")
    # Five gigabytes in all take seconds; a measured pass takes every ninth size, the smallest and the largest included.
    sizes_mib = [1] * 100 if objects == ONE_MIB_EACH else list(range(0, 100, 9 if context.measured else 1))
    await _through(_channel(channels, objects), [1, 1, 1])
    control_bytes = await _kept_by_doing_nothing()

    with MemorySpan() as span:
        channel = _channel(channels, objects)
        with context.timed():
            verified = await _through(channel, sizes_mib)
        assert len(channel) == 0
        del channel

    assert verified == [(number, size_mib * MIB) for number, size_mib in enumerate(sizes_mib)]
    figures = span.figures
    assert figures is not None
    # Without a peak of its own the span stayed below that of the process, which is then the bound.
    peak_bytes = figures.peak_bytes or peak_rss_bytes().value
    assert peak_bytes is not None
    above_bytes = peak_bytes - figures.before_bytes
    assert above_bytes < PEAK_BYTES
    assert figures.kept_bytes <= control_bytes + KEPT_BYTES
    context.note("peak above start, MiB", round(above_bytes / MIB, 1))
    context.note("kept, KiB", round(figures.kept_bytes / 1024))
    context.note("kept by doing nothing, KiB", round(control_bytes / 1024))
    if figures.doubts:
        context.note("doubts about memory", list(figures.doubts))
    context.count(len(sizes_mib))


def _channel(channels: ChannelTarget, objects: str) -> ChannelLike[Any]:
    if objects == ONE_MIB_EACH:
        return make_channel(channels, 10, ChannelMode.SPSC, "objects")
    return channels.create_bytes(
        IN_FLIGHT_BYTES, weigh=lambda packet: len(packet.payload), mode=ChannelMode.SPSC, name="objects"
    )


async def _through(channel: ChannelLike[Any], sizes_mib: list[int]) -> list[tuple[int, int]]:
    """Make objects of these sizes, send, verify and drop them; return the id and size of each that arrived."""

    async def produce() -> None:
        for number, size_mib in enumerate(sizes_mib):
            # No name for it: what is sent belongs to the channel, and this loop must not keep it alive.
            await channel.send(make_repetitive_packet(number, size_mib * MIB))
        channel.close()

    producer = asyncio.create_task(produce())
    arrived = []
    async for packet in channel:
        arrived.append((verify(packet).id, len(packet.payload)))
        del packet
    await producer
    return arrived


async def _kept_by_doing_nothing() -> int:
    """Return the most that several spans around nothing seem to keep: the noise of reading the memory."""
    kept_bytes = []
    for _ in range(5):
        with MemorySpan() as span:
            await asyncio.sleep(0)
        if span.figures is not None:
            kept_bytes.append(abs(span.figures.kept_bytes))
    return max(kept_bytes)


# Latency under load


@suite.benchmark("Latency under load")
async def latency_under_load(context: Context) -> None:
    """Calls are due at 25, 50, 75 and 90 % of the measured saturation; up to 75 % none may be dropped."""
    async with DigestService(context.target("channels"), context.seed) as service:
        with context.timed():
            saturation_per_s = await service.saturation_per_s(context.count)
        curve = await measure_curve(service, saturation_per_s, context.clock)

    for point in curve:
        assert point.load.errors == ()
        if point.percent <= 75:
            assert point.load.dropped == ()
    # Near saturation a latency says more about the load that was just measured than about the service: the curve has
    # it, and only the least load is compared from session to session.
    for call in next(point.load.calls for point in curve if point.percent == 25):
        context.record_latency_ns(round(call.latency_s * 1e9))
    context.note("latency against load", [point.to_json() for point in curve])
