"""The channels and tasks of one pipeline run.

Theory of operation. There is a channel before each stage, except before the first one when the source is a plain
iterable, and one behind the last; and a task for each worker. Nobody's task group spans the iteration: a group would
cancel the consumer's own code in the middle of whatever it does between two results. Instead every task is guarded;
the first error is kept, all tasks are cancelled, all channels closed and emptied, and the consumer learns of it where
it asks for its next result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from wfrun.concurrency.channel import Channel, ChannelMode
from wfrun.concurrency.errors import EndOfChannel
from wfrun.concurrency.inbox import Inbox, IterableInbox, SourceFailed
from wfrun.concurrency.pool import cancelled_from_outside
from wfrun.concurrency.reorder import ReorderBuffer
from wfrun.concurrency.stage_work import StageWork
from wfrun.concurrency.stages import NO_ITEM, Stage, StageFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Coroutine, Sequence

__all__ = ["Flow"]


class Flow:
    """One run of some stages over a source. It does not know the iterator over its results, whose end it must notice.

    Args:
        stages: In order.
        source: A channel is received from, an iterable drawn from, an async iterable pumped into the first channel.
        capacity: Of each channel.
        name: Shown in channel and task names.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        source: Iterable[Any] | AsyncIterable[Any] | Channel[Any],
        capacity: int,
        name: str,
    ) -> None:
        self.error: BaseException | None = None
        self._source: Final = source
        self._capacity: Final = capacity
        self._name: Final = name
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False
        self._channels: Final = _channels(stages, capacity, name)
        self.results: Final = self._channels[-1]
        self._direct: Final[Inbox | None] = _direct_inbox(stages, source)
        inboxes: list[Inbox] = [self._direct or self._channels[0], *self._channels[1:-1]]
        self.works: Final = [
            StageWork(stage, inbox, outbox, _order(stage, outbox, capacity), capacity)
            for stage, inbox, outbox in zip(stages, inboxes, self._channels[1:], strict=False)
        ]

    def start(self) -> None:
        """Start all tasks, the first time this is called."""
        if self._loop is not None or self._stopped:
            return
        self._loop = asyncio.get_running_loop()
        if self._direct is None:
            self._spawn(self._pump, "source", "source", [1], self._channels[0])
        for work in self.works:
            stage = work.stage
            left = [stage.workers]
            for number in range(stage.workers):
                name = stage.name if stage.workers == 1 else f"{stage.name}/{number}"
                self._spawn(work.work, name, stage.name, left, work.outbox)

    def stop(self) -> None:
        """Cancel all tasks but the running one, close all channels, and empty those of this run."""
        if self._stopped:
            return
        self._stopped = True
        here = asyncio.current_task()
        for task in self._tasks:
            if task is not here:
                task.cancel()
        for channel in self._channels:
            channel.close()
            channel.drain()
        if isinstance(self._source, Channel):
            self._source.close()
        if isinstance(self._direct, IterableInbox):
            self._direct.close()

    async def ended(self) -> None:
        """Wait until all tasks have ended; being cancelled meanwhile is told only then."""
        cancelled: asyncio.CancelledError | None = None
        while self._tasks:
            try:
                await asyncio.wait(self._tasks)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    def abandon(self) -> None:
        """Stop from wherever the garbage collector runs, if anything still does."""
        if self._tasks and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.stop)

    # Tasks

    def _spawn(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        name: str,
        stage: str,
        left: list[int],
        outbox: Channel[Any],
    ) -> None:
        task = asyncio.create_task(self._guard(work, stage, left, outbox), name=f"{self._name}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(
        self, work: Callable[[], Coroutine[Any, Any, None]], stage: str, left: list[int], outbox: Channel[Any]
    ) -> None:
        """Run one task of the flow; the last of ``left`` that ends well closes its outbox, any error ends the flow."""
        try:
            await work()
            left[0] -= 1
            if left[0] == 0:
                outbox.close()
        except BaseException as error:
            # Stopping cancels sends and closes channels under them; what follows from that is not the first error.
            if not self._stopped:
                self.error = StageFailed(stage, error) if isinstance(error, asyncio.CancelledError) else error
                self.stop()
            if not isinstance(error, Exception):
                raise

    async def _pump(self) -> None:
        """Move what the source yields into the first channel."""
        source, outbox = self._source, self._channels[0]
        if isinstance(source, (Channel, Iterable)):
            inbox: Inbox = source if isinstance(source, Channel) else IterableInbox(source)
            while True:
                try:
                    batch = await inbox.receive_many(self._capacity)
                except EndOfChannel:
                    return
                await outbox.send_many(batch)
        items = aiter(source)
        try:
            while (item := await _asked(anext(items, NO_ITEM))) is not NO_ITEM:
                await outbox.send(item)
        finally:
            if hasattr(items, "aclose"):
                await items.aclose()


async def _asked(answer: Any) -> Any:  # noqa: ANN401 - the source's item
    try:
        return await answer
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and cancelled_from_outside():
            raise
        raise SourceFailed(error) from error


def _channels(stages: Sequence[Stage], capacity: int, name: str) -> list[Channel[Any]]:
    """Return the channels before, between and behind the stages, each as narrow as the stages beside it allow."""
    at_once = [1, *(stage.at_once for stage in stages), 1]
    names = ["source", *(stage.name for stage in stages), "results"]
    return [
        Channel[Any](capacity, mode=_mode(senders, receivers), name=f"{name}: {before} to {after}")
        for (senders, receivers), (before, after) in zip(pairwise(at_once), pairwise(names), strict=True)
    ]


def _mode(senders: int, receivers: int) -> ChannelMode:
    if receivers > 1:
        return ChannelMode.MPMC
    return ChannelMode.SPSC if senders == 1 else ChannelMode.MPSC


def _direct_inbox(stages: Sequence[Stage], source: object) -> Inbox | None:
    """Return what the first stage can draw from itself, or None when the source must be pumped."""
    if not stages:
        return None
    if isinstance(source, Channel):
        return source if stages[0].at_once == 1 or not source.mode.one_receiver else None
    return IterableInbox(source) if isinstance(source, Iterable) else None


def _order(stage: Stage, outbox: Channel[Any], capacity: int) -> ReorderBuffer | None:
    if not stage.ordered or stage.workers == 1:
        return None
    return ReorderBuffer(outbox, window=max(capacity, 2 * stage.workers))
