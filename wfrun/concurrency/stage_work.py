"""What the workers of one pipeline stage do.

Theory of operation. A plain function never waits, so its stage takes whatever lies in its channel at once, computes
over all of it and sends all of it: a hop then costs a few nanoseconds an item. Nothing is held back for that, a batch
is what is there. How many items a worker takes follows from how long they take: batches double while one lasts less
than half a *slice* and shrink when one lasts longer, so slow functions neither block the loop nor delay first results.
An async function waits, so its workers take one item at a time, or one would hold what another could begin.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from itertools import compress, islice
from operator import length_hint
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from wfrun.concurrency.channel import Channel
from wfrun.concurrency.errors import EndOfChannel
from wfrun.concurrency.inbox import SLICE_S
from wfrun.concurrency.pool import cancelled_from_outside
from wfrun.concurrency.stages import NO_ITEM, Stage, StageFailed, StageKind, StageStatistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from wfrun.concurrency.inbox import Inbox
    from wfrun.concurrency.reorder import ReorderBuffer

__all__ = ["StageWork"]


class StageWork:
    """One stage at work between two channels.

    Args:
        order: Given when several workers' results must leave in order; then nothing else sends to ``outbox``.
        most: Items a worker takes or holds at once.
    """

    def __init__(
        self, stage: Stage, inbox: Inbox, outbox: Channel[Any], order: ReorderBuffer | None, most: int
    ) -> None:
        self.stage: Final = stage
        self.inbox: Final = inbox
        self.outbox: Final = outbox
        self._order: Final = order
        self._most: Final = most
        self._function: Final = stage.function
        self._waits: bool | None = True if _is_async(stage.function) else None
        self._received = 0
        self._sent = 0
        self.busy_s = 0.0
        self.now_s: Callable[[], float] = perf_counter

    async def work(self) -> None:
        """Be one worker of this stage until its inbox ends.

        Raises:
            StageFailed: The stage's function raised.
        """
        if self.stage.kind is StageKind.BATCH:
            await self._gather()
            return
        if self._waits is None and not await self._one():
            return
        if self._waits and self.stage.kind is StageKind.FLAT_MAP:
            while await self._one():
                pass
        elif self._waits:
            await self._each()
        else:
            await self._many()

    def statistics(self) -> StageStatistics:
        """Return what this stage has done so far."""
        mark = self.inbox.statistics().high_water_mark if isinstance(self.inbox, Channel) else 0
        return StageStatistics(self.stage.name, self.stage.workers, self._received, self._sent, self.busy_s, mark)

    def blame(self, error: BaseException, item: object) -> None:
        """Turn what was raised over ``item`` into this stage's failure, unless it is our own cancellation.

        Raises:
            StageFailed: Nearly always.
        """
        leaked = isinstance(error, asyncio.CancelledError) and not cancelled_from_outside()
        if leaked or isinstance(error, Exception):
            # A leaked cancellation is of something the function waited for; to end quietly for it would lose items.
            raise StageFailed(self.stage.name, error, item) from error

    # Plain functions: as many items at once as there are

    async def _many(self) -> None:
        kind = self.stage.kind
        compute = self._mapped if kind is StageKind.MAP else self._filtered
        size = 1
        since_yield_s = 0.0
        while True:
            try:
                ticket, batch = await self._take(size)
            except EndOfChannel:
                return
            self._received += len(batch)
            before_s = self.busy_s
            outputs = await self._flattened(batch, ticket) if kind is StageKind.FLAT_MAP else compute(batch)
            size = _next_size(len(batch), size, self.busy_s - before_s, self._most)
            await self._send(ticket, outputs)
            since_yield_s += self.busy_s - before_s
            if since_yield_s > SLICE_S:
                # Nothing above need have waited, and others have work: what was just sent, for one.
                since_yield_s = 0.0
                await asyncio.sleep(0)

    def _mapped(self, batch: list[Any]) -> list[Any]:
        rest = iter(batch)
        with _Inside(self, batch, rest):
            results = list(map(self._function, rest))
            if len(results) < len(batch):
                raise _stopped_short()
            return results

    def _filtered(self, batch: list[Any]) -> list[Any]:
        rest = iter(batch)
        with _Inside(self, batch, rest):
            flags = list(map(self._function, rest))
            if len(flags) < len(batch):
                raise _stopped_short()
            return list(compress(batch, flags))

    async def _flattened(self, batch: list[Any], ticket: int) -> list[Any]:
        """Return the last outputs; whenever there are too many to hold, send them."""
        outputs: list[Any] = []
        for item in batch:
            elements: Iterator[Any] | None = None
            while True:
                with _Inside(self, (item,)):
                    elements = iter(self._function(item)) if elements is None else elements
                    outputs.extend(islice(elements, self._most - len(outputs)))
                if len(outputs) < self._most:
                    break
                await self._stream(ticket, outputs)
                outputs = []
        return outputs

    async def _gather(self) -> None:
        size = self.stage.size
        gathered: list[Any] = []
        with contextlib.suppress(EndOfChannel):
            while True:
                batch = await self.inbox.receive_many(self._most)
                self._received += len(batch)
                gathered += batch
                full = len(gathered) - len(gathered) % size
                await self._send(0, [gathered[start : start + size] for start in range(0, full, size)])
                del gathered[:full]
        if gathered:
            await self._send(0, [gathered])

    # Async functions: one item at a time

    async def _each(self) -> None:
        """Map or filter until the inbox ends. What :meth:`_one` does in steps is one here, because each step counts."""
        order, inbox, outbox, function = self._order, self.inbox, self.outbox, self._function
        filtering = self.stage.kind is StageKind.FILTER
        declared = _is_async(function)
        now_s = asyncio.get_running_loop().time
        turn_began_s = now_s()
        while True:
            try:
                ticket, item = (0, await inbox.receive()) if order is None else await order.take_one(inbox)
            except EndOfChannel:
                return
            self._received += 1
            started_s = now_s()
            try:
                result = function(item)
                if declared or inspect.isawaitable(result):
                    result = await result
                keep = not filtering or bool(result)
            except (Exception, asyncio.CancelledError) as error:
                self.blame(error, item)
                raise
            ended_s = now_s()
            self.busy_s += ended_s - started_s
            if order is not None:
                await order.finish(ticket, [item if filtering else result] if keep else [])
            elif keep:
                await outbox.send(item if filtering else result)
            self._sent += keep
            if ended_s - turn_began_s > SLICE_S:
                # An async function need not wait either.
                await asyncio.sleep(0)
                turn_began_s = now_s()

    async def _one(self) -> bool:
        """Take one item, if there is another, and see it through; learn whether the function waits."""
        try:
            ticket, (item,) = await self._take(1)
        except EndOfChannel:
            return False
        self._received += 1
        kind = self.stage.kind
        self.now_s = asyncio.get_running_loop().time
        with _Inside(self, (item,)):
            result = self._function(item)
            if inspect.isawaitable(result):
                self._waits = True
                result = await result
            elif hasattr(result, "__aiter__"):
                self._waits = True
            keep = kind is StageKind.MAP or (kind is StageKind.FILTER and bool(result))
        if not self._waits:
            self._waits = False
            self.now_s = perf_counter
        if kind is StageKind.FLAT_MAP:
            outputs = await self._drawn(item, result, ticket)
        else:
            outputs = [result if kind is StageKind.MAP else item] if keep else []
        await self._send(ticket, outputs)
        return True

    async def _drawn(self, item: object, result: Any, ticket: int) -> list[Any]:  # noqa: ANN401 - the user's iterable
        """Return the last elements of one flat_map result; whenever there are too many to hold, send them.

        Elements of an async iterable are sent one by one, as it may wait for long before its next.
        """
        outputs: list[Any] = []
        waits = hasattr(result, "__aiter__")
        elements: Any = None
        while True:
            with _Inside(self, (item,)):
                if elements is None:
                    elements = aiter(result) if waits else iter(result)
                if waits:
                    element = await anext(elements, NO_ITEM)
                    outputs = [] if element is NO_ITEM else [element]
                else:
                    outputs = list(islice(elements, self._most))
            if len(outputs) < (1 if waits else self._most):
                return outputs
            await self._stream(ticket, outputs)

    # Receiving and sending

    async def _take(self, most: int) -> tuple[int, list[Any]]:
        """Return the next items, at most ``most``, and their ticket; without an order there are no tickets."""
        if self._order is not None:
            return await self._order.take(self.inbox, most)
        return 0, await self.inbox.receive_many(most)

    async def _send(self, ticket: int, outputs: list[Any]) -> None:
        """Send the last outputs of a ticket."""
        self._sent += len(outputs)
        if self._order is not None:
            await self._order.finish(ticket, outputs)
        elif len(outputs) == 1:
            await self.outbox.send(outputs[0])
        elif outputs:
            await self.outbox.send_many(outputs)

    async def _stream(self, ticket: int, outputs: list[Any]) -> None:
        """Send outputs of a ticket that has more."""
        self._sent += len(outputs)
        if self._order is not None:
            await self._order.stream(ticket, outputs)
        else:
            await self.outbox.send_many(outputs)


class _Inside:
    """The time inside a stage's function: it counts as busy, and what is raised there is that stage's failure."""

    __slots__ = ("_batch", "_rest", "_started_s", "_work")

    def __init__(self, work: StageWork, batch: Sequence[Any], rest: Iterator[Any] | None = None) -> None:
        self._work = work
        self._batch = batch
        self._rest = rest

    def __enter__(self) -> None:
        self._started_s = self._work.now_s()

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._work.busy_s += self._work.now_s() - self._started_s
        if error is not None:
            self._work.blame(error, self._item())

    def _item(self) -> object:
        """Return the item in hand: of a batch, the one its iterator gave out last."""
        left = 0 if self._rest is None else length_hint(self._rest)
        return self._batch[len(self._batch) - left - 1]


def _stopped_short() -> RuntimeError:
    """Return the error for a function that raised StopIteration, which ``map`` takes for the end of its input."""
    return RuntimeError("the function raised StopIteration")


def _next_size(taken: int, size: int, took_s: float, most: int) -> int:
    """Return how many items the next batch may have, after ``taken`` of at most ``size`` took ``took_s`` seconds."""
    if took_s > SLICE_S:
        return max(1, int(taken * SLICE_S / took_s))
    if taken == size and took_s < SLICE_S / 2:
        return min(2 * size, most)
    return size


def _is_async(function: Callable[[Any], Any]) -> bool:
    return any(
        inspect.iscoroutinefunction(candidate) or inspect.isasyncgenfunction(candidate)
        for candidate in (function, getattr(function, "__call__", None))  # noqa: B004 - an object may be called like one
    )
