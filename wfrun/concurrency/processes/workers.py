"""Work for the processor, in other processes, behind the interface of a channel: items in, outcomes out.

Theory of operation. One task takes items from an ordinary channel, as many as the crew of processes has room for, and
what the crew finishes goes into another. So items wait in the first, where the sender is held back, and never in heaps
at the workers. How the crew hands out, and what it does when a process dies, is told in :mod:`process_crew`.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from wfrun.concurrency.channel import DEFAULT_BATCH, Channel
from wfrun.concurrency.errors import EndOfChannel, InvalidCapacity
from wfrun.concurrency.processes.crew import Crew, Job
from wfrun.concurrency.processes.errors import WorkerItemFailed, WorkerStartFailed, shortened
from wfrun.concurrency.processes.importable import FunctionReference
from wfrun.concurrency.processes.outcome import Outcome, WorkersStatistics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from wfrun.concurrency.processes.items import Failure

__all__ = ["Outcome", "ProcessWorkers", "WorkersStatistics"]

T = TypeVar("T")
R = TypeVar("R")


class ProcessWorkers(Generic[T, R]):
    """Processes that call ``function`` with each item sent, and a channel of what came of them.

    Enter it to start the processes, leave it to end them; whatever is unfinished then is dropped. To have everything,
    :meth:`close` and receive until the end::

        async with ProcessWorkers(parse, workers=4) as workers:
            async for outcome in workers:
                ...

    Every item accepted has exactly one :class:`Outcome`, whatever the function or the machine does to a worker; the
    function itself may run more than once for an item whose worker died. An exception is its item's outcome and ends
    nothing. Neither item nor result may be changed by the caller while it is inside. Items and results are pickled,
    only between this process and its own children. A ``memoryview`` arrives as ``bytes``.

    Args:
        function: Called with one item, in another process: a plain function at the top level of a module.
        workers: Processes; at least 1. None for as many as this process may use processors.
        capacity: Most items that wait to be handed out; as many again may be with workers or finished and not received.
        ordered: Deliver outcomes in the order of their items, rather than as they come.
        most_deaths: How many workers may die while they are at one item before it is given up.
        most_restarts: How many deaths in a row, with no result between, end it all: then every item left fails.
        name: Shown in errors.

    Raises:
        FunctionNotImportable: Another process could not find ``function``; nothing was started.
        InvalidCapacity: ``workers`` or ``capacity`` is less than 1.
    """

    def __init__(
        self,
        function: Callable[[T], R],
        *,
        workers: int | None = None,
        capacity: int = 1000,
        ordered: bool = False,
        most_deaths: int = 3,
        most_restarts: int = 10,
        name: str = "",
    ) -> None:
        count = _processors() if workers is None else workers
        if count < 1:
            raise InvalidCapacity(f"{count} workers would do nothing; give at least 1")
        function_reference = FunctionReference.of(function)
        self._name: Final = name or f"{function_reference.module}.{function_reference.name}"
        self._capacity: Final = capacity
        self._ordered: Final = ordered
        self._input: Final[Channel[T]] = Channel(capacity, name=f"into {self._name}")
        self._output: Final[Channel[Outcome[T, R]]] = Channel(None, name=f"out of {self._name}")
        self._crew: Final = Crew(function_reference, count, max(1, most_deaths), most_restarts, self)
        self._held: Final[dict[int, Outcome[T, R]]] = {}
        self._feeder: asyncio.Task[None] | None = None
        self._room_made: asyncio.Future[None] | None = None
        self._accepted = 0
        self._delivered = 0
        self._received = 0
        self._failed = 0
        self._input_ended = False

    async def __aenter__(self) -> Self:
        """Start the processes and wait until all are ready.

        Raises:
            WorkerStartFailed: They did not come up; the text says why. None is left behind.
        """
        if self._feeder is not None:
            raise WorkerStartFailed(f"the workers of {self._name} were started before; make new ones")
        try:
            await self._crew.start()
        except BaseException:
            await self._crew.stop()
            raise
        self._feeder = asyncio.create_task(self._feed(), name=f"feeding {self._name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the processes, at once where they still have work, and give everything back."""
        self._input.close()
        if self._feeder is not None:
            self._feeder.cancel()
            # Gathering turns its being cancelled into a result, and still lets this task be cancelled.
            await asyncio.gather(self._feeder, return_exceptions=True)
        await self._crew.stop()
        self._output.close()

    # Sending

    async def send(self, item: T, *, timeout_s: float | None = None) -> None:
        """Put ``item`` in, waiting while ``capacity`` items wait for workers; as :meth:`Channel.send` in everything.

        Raises:
            ChannelClosed: Closed, or the workers are lost; the item was not sent.
            ChannelTimeout: There was no room within ``timeout_s`` seconds; the item was not sent.
        """
        await self._input.send(item, timeout_s=timeout_s)

    def try_send(self, item: T) -> None:
        """Put ``item`` in without waiting.

        Raises:
            WouldBlock: There is no room.
            ChannelClosed: Closed, or the workers are lost.
        """
        self._input.try_send(item)

    async def send_many(self, items: Sequence[T], *, timeout_s: float | None = None) -> None:
        """Put all ``items`` in, in order, waiting for room as often as needed; as :meth:`Channel.send_many`.

        Raises:
            ChannelClosed, ChannelTimeout: As for :meth:`send`; the error's ``sent`` says how many were sent.
        """
        await self._input.send_many(items, timeout_s=timeout_s)

    # Receiving

    async def receive(self, *, timeout_s: float | None = None) -> Outcome[T, R]:
        """Return an outcome, waiting until there is one. A cancelled receive has taken nothing.

        Raises:
            EndOfChannel: Closed, and every outcome was received.
            ChannelTimeout: Nothing came within ``timeout_s`` seconds.
        """
        outcome = await self._output.receive(timeout_s=timeout_s)
        self._take(1)
        return outcome

    def try_receive(self) -> Outcome[T, R]:
        """Return an outcome without waiting.

        Raises:
            WouldBlock: There is none now.
            EndOfChannel: Closed, and every outcome was received.
        """
        outcome = self._output.try_receive()
        self._take(1)
        return outcome

    async def receive_many(
        self, max_items: int = DEFAULT_BATCH, *, timeout_s: float | None = None
    ) -> list[Outcome[T, R]]:
        """Return the outcomes that are there, at least one and at most ``max_items``.

        Raises:
            EndOfChannel, ChannelTimeout: As for :meth:`receive`.
        """
        batch = await self._output.receive_many(max_items, timeout_s=timeout_s)
        self._take(len(batch))
        return batch

    async def batches(self, max_items: int = DEFAULT_BATCH) -> AsyncIterator[list[Outcome[T, R]]]:
        """Iterate over what :meth:`receive_many` returns until the end."""
        while True:
            try:
                batch = await self.receive_many(max_items)
            except EndOfChannel:
                return
            yield batch

    def __aiter__(self) -> Self:
        """Iterate over the outcomes until closed and all received."""
        return self

    async def __anext__(self) -> Outcome[T, R]:
        try:
            return await self.receive()
        except EndOfChannel:
            raise StopAsyncIteration from None

    # State

    def close(self) -> None:
        """Accept nothing more. What was accepted is worked off and can be received, then receivers end."""
        self._input.close()

    @property
    def closed(self) -> bool:
        """Whether nothing more is accepted."""
        return self._input.closed

    @property
    def capacity(self) -> int:
        """Most items that wait to be handed out."""
        return self._capacity

    def __len__(self) -> int:
        """Return how many items are inside: waiting, with workers, or finished and not received."""
        return len(self._input) + self._accepted - self._received

    def __bool__(self) -> bool:
        """Return True: with nothing to do they are still workers."""
        return True

    def statistics(self) -> WorkersStatistics:
        """Return counts since the start, and the processes that work now."""
        crew = self._crew
        return WorkersStatistics(
            sent=len(self._input) + self._accepted,
            waiting=len(self._input) + len(crew.unassigned),
            running=crew.running,
            finished=len(self._output) + len(self._held),
            received=self._received,
            failed=self._failed,
            redone=crew.redone,
            restarts=crew.restarts,
            processes=crew.pids,
            closed=self.closed,
        )

    # What the crew calls

    def job_done(self, job: Job, value: Any, reason: str, failure: Failure | None) -> None:  # noqa: ANN401 - R, unpickled
        """Deliver the outcome of ``job``: a value, or the reason why there is none and what was raised, if anything."""
        error = None
        if reason:
            self._failed += 1
            error = WorkerItemFailed(
                job.item_id,
                shortened(job.item),
                reason,
                error_type=failure.error_type if failure else "",
                traceback_text=failure.traceback_text if failure else "",
            )
        outcome: Outcome[T, R] = Outcome(job.item_id, job.item, value, error, job.deaths)
        if not self._ordered:
            self._delivered += 1
            self._output.try_send(outcome)
            return
        self._held[job.item_id] = outcome
        while (oldest := self._held.pop(self._delivered, None)) is not None:
            self._delivered += 1
            self._output.try_send(oldest)

    def crew_changed(self) -> None:
        """Feed the crew if it has room; end when everything is delivered, or nothing can be any more."""
        if self._crew.lost:
            self._input.close()
        self._wake_feeder()
        if self._input_ended and self._delivered == self._accepted:
            self._output.close()
            self._crew.dismiss()

    # Helpers

    async def _feed(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                room = self._room()
                if not room:
                    self._room_made = loop.create_future()
                    await self._room_made
                    continue
                items = await self._input.receive_many(room)
                jobs = [Job(item_id, item) for item_id, item in enumerate(items, self._accepted)]
                self._accepted += len(jobs)
                self._crew.take(jobs)
        except EndOfChannel:
            self._input_ended = True
            self.crew_changed()

    def _room(self) -> int:
        """Return how many items to hand over now; 0 while it would be so few that sending them would cost more."""
        worthwhile = max(1, min(self._crew.window // 2, self._capacity // 4))
        room = min(self._crew.room(), self._capacity - (self._accepted - self._received))
        return room if room >= worthwhile else 0

    def _take(self, count: int) -> None:
        self._received += count
        self._wake_feeder()

    def _wake_feeder(self) -> None:
        waiting = self._room_made
        if waiting is not None and not waiting.done() and self._room():
            waiting.set_result(None)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
