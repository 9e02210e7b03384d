"""Workloads that suites put on a system: items of work, a pipeline of stages, network delays, and an open load.

All of it is repeatable: chance comes from a generator that is handed in, time from a :class:`~wfrun.clock.Clock`.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from wfrun.authoring.open_load import OpenLoad, OpenLoadCall, open_load
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from wfrun.clock import Clock
    from wfrun.concurrency.channel import ChannelMode
    from wfrun.concurrency.targets import ChannelLike

__all__ = [
    "OpenLoad",
    "OpenLoadCall",
    "ProcessingPipeline",
    "WorkItem",
    "create_processing_pipeline",
    "generate_realistic_workload",
    "open_load",
    "simulate_network_delay",
]

SMALLEST_ITEM_BYTES: Final = 1024
LARGEST_ITEM_DOUBLINGS: Final = 10
"""1 KiB doubled ten times is 1 MiB."""

PIPELINE_CAPACITY: Final = 100


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One piece of work of a realistic workload."""

    id: int
    size_bytes: int
    complexity: float
    """How much work a byte is, 1 to 10."""


def generate_realistic_workload(n: int, random: Random) -> list[WorkItem]:
    """Return ``n`` items with ids from 0, of 1 KiB to 1 MiB and of complexity 1 to 10.

    Every doubling of the size is as likely as any other: many items are small and few are large, as in most systems.
    """
    return [
        WorkItem(
            id=id_,
            size_bytes=round(SMALLEST_ITEM_BYTES * 2 ** random.uniform(0, LARGEST_ITEM_DOUBLINGS)),
            complexity=random.uniform(1, 10),
        )
        for id_ in range(n)
    ]


async def simulate_network_delay(min_s: float, max_s: float, clock: Clock, random: Random) -> float:
    """Wait between ``min_s`` and ``max_s`` seconds, every duration as likely, and return how many they were.

    Raises:
        UsageError: The bounds are negative or in the wrong order.
    """
    if not 0 <= min_s <= max_s:
        raise UsageError(f"a delay of {min_s:g} to {max_s:g} s cannot be; give 0 <= min_s <= max_s")
    delay_s = random.uniform(min_s, max_s)
    await clock.sleep(delay_s)
    return delay_s


# Pipelines


class ChannelMaker(Protocol):
    """What can make channels: a channel target."""

    def create(self, capacity: int | None, *, mode: ChannelMode = ..., name: str = ...) -> ChannelLike[Any]:
        """Return a new channel."""


class ProcessingPipeline:
    """Stages in a row, each one task, with a channel behind each. Make it with :func:`create_processing_pipeline`.

    Attributes:
        channels: What each stage sends to, in order; the last carries the results. For looking at: their fill, their
            statistics, and that they are closed and empty in the end.
    """

    def __init__(self, stages: Sequence[Callable[[Any], Any]], channels: Sequence[ChannelLike[Any]]) -> None:
        self.stages: Final = tuple(stages)
        self.channels: Final = tuple(channels)
        self._used = False

    async def run(self, source: Iterable[Any] | AsyncIterable[Any]) -> list[Any]:
        """Put every item of ``source`` through all stages and return the results, in the order of the items.

        When it ends, in whatever way, no task is left and every channel is closed. It can run once, because its
        channels end with it.

        Raises:
            ExceptionGroup: A stage, or the source, raised; the other stages were cancelled.
            UsageError: It has run before.
        """
        if self._used:
            raise UsageError("this pipeline has run, and its channels are closed; create another one")
        self._used = True
        results: list[Any] = []
        inputs: list[AsyncIterable[Any]] = [_async_items(source), *self.channels[:-1]]
        try:
            async with asyncio.TaskGroup() as group:
                for stage, inbox, outbox in zip(self.stages, inputs, self.channels, strict=True):
                    group.create_task(_run_stage(stage, inbox, outbox), name=f"stage {_name(stage)}")
                results += [result async for result in self.channels[-1]]
        finally:
            for channel in self.channels:
                channel.close()
        return results


def create_processing_pipeline(
    stages: Sequence[Callable[[Any], Any]],
    *,
    channels: ChannelMaker | None = None,
    capacity: int = PIPELINE_CAPACITY,
) -> ProcessingPipeline:
    """Return a pipeline of ``stages`` over channels for one producer and one consumer, made here and open.

    A stage is a function, plain or async, that makes one result of one item; or an async generator function that is
    given all items as an async iterator and yields as many results as it likes, which can gather and fold.

    Args:
        stages: In order; at least one.
        channels: Makes the channels, such as ``context.target("channels")``; wfrun's own by default. One that cannot
            hold a channel to one producer and one consumer is asked for an ordinary channel instead.
        capacity: Most items in each channel.

    Raises:
        UsageError: There are no stages.
    """
    if not stages:
        raise UsageError("a pipeline without stages would do nothing; give at least one")
    made = [_one_to_one(channels, capacity, f"after {_name(stage)}") for stage in stages]
    return ProcessingPipeline(stages, made)


# Helpers


async def _run_stage(stage: Callable[[Any], Any], inbox: AsyncIterable[Any], outbox: ChannelLike[Any]) -> None:
    if inspect.isasyncgenfunction(stage):
        async with aclosing(stage(aiter(inbox))) as results:
            async for result in results:
                await outbox.send(result)
    else:
        async for item in inbox:
            try:
                result = stage(item)
                if inspect.isawaitable(result):
                    result = await result
            except Exception as error:
                error.add_note(f"in stage {_name(stage)!r}, on item {item!r:.200}")
                raise
            await outbox.send(result)
    outbox.close()


async def _async_items(source: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    if isinstance(source, AsyncIterable):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item


def _one_to_one(maker: ChannelMaker | None, capacity: int, name: str) -> ChannelLike[Any]:
    # Imported late: a suite that only wants work items or a load needs no channels.
    from wfrun.concurrency.channel import Channel, ChannelMode  # noqa: PLC0415
    from wfrun.concurrency.errors import Unsupported  # noqa: PLC0415

    if maker is None:
        return Channel[Any](capacity, mode=ChannelMode.SPSC, name=name)
    try:
        return maker.create(capacity, mode=ChannelMode.SPSC, name=name)
    except Unsupported:
        return maker.create(capacity, name=name)


def _name(stage: Callable[[Any], Any]) -> str:
    return str(getattr(stage, "__name__", type(stage).__name__))
