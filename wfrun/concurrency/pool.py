"""Several workers that share one channel of work.

Every item that a worker takes ends in exactly one place: handled, in ``failures``, in ``unfinished`` (its handler was
interrupted), or in ``undelivered`` (handled, but its result did not surely reach the results channel). What nobody
took is still in the source.
"""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from enum import Enum
from time import perf_counter
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast, overload

from wfrun.concurrency.errors import ModeViolation
from wfrun.errors import ExitCode, UsageError, WfrunError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wfrun.concurrency.channel import Channel

__all__ = ["ErrorPolicy", "ItemFailed", "ItemFailure", "PoolReport", "WorkerPool"]

In = TypeVar("In")
Out = TypeVar("Out")

SLICE_S: Final = 0.001
"""After about this long a worker lets other tasks run, because a handler that never waits would not."""


class ErrorPolicy(Enum):
    """What a pool does when its handler fails on an item."""

    STOP = "stop"
    """Cancel the other workers and raise :class:`ItemFailed`."""
    COLLECT = "collect"
    """Note the failure and go on with the next item."""


class ItemFailed(WfrunError):
    """The handler failed on ``item``; its error is the cause."""

    exit_code = ExitCode.CASE_FAILED

    def __init__(self, pool: str, item: object, error: BaseException) -> None:
        super().__init__(f"{pool} failed on item {item!r:.200}: {error!r}")
        self.item = item


@dataclass(frozen=True, slots=True)
class ItemFailure(Generic[In]):
    """An item whose handler raised, and what."""

    item: In
    error: BaseException


@dataclass(frozen=True, slots=True)
class PoolReport(Generic[In, Out]):
    """Where every item went that the workers took."""

    handled: int
    failures: tuple[ItemFailure[In], ...]
    unfinished: tuple[In, ...]
    """Items in hand when their worker was cancelled: the handler may have done a part of its work."""
    undelivered: tuple[tuple[In, Out], ...]
    """Items with their results whose way into the results channel was interrupted. A cancelled send may have taken
    place, so such a result can arrive too: whoever sends it again delivers at least once."""


class WorkerPool(Generic[In, Out]):
    """Drains ``source`` through ``handler`` in ``workers`` tasks.

    Args:
        handler: Called with each item; what it returns, awaited if it can be, is the result.
        source: Where items come from until it is closed and empty.
        results: Where results go, in the order in which they are ready. It is closed when the pool ends, in any way.
        workers: Tasks that share the source; at least 1.
        on_error: What an error of the handler means for the others.
        name: Shown in errors and in the workers' task names.

    Raises:
        ModeViolation: A channel's mode does not allow that many tasks at it.
    """

    # Two signatures, because "a result or an awaitable of one" lets a type checker take the awaitable for the result.
    @overload
    def __init__(
        self,
        handler: Callable[[In], Awaitable[Out]],
        *,
        source: Channel[In],
        results: Channel[Out] | None = ...,
        workers: int = ...,
        on_error: ErrorPolicy = ...,
        name: str = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        handler: Callable[[In], Out],
        *,
        source: Channel[In],
        results: Channel[Out] | None = ...,
        workers: int = ...,
        on_error: ErrorPolicy = ...,
        name: str = ...,
    ) -> None: ...
    def __init__(
        self,
        handler: Callable[[In], Awaitable[Out]] | Callable[[In], Out],
        *,
        source: Channel[In],
        results: Channel[Out] | None = None,
        workers: int = 4,
        on_error: ErrorPolicy = ErrorPolicy.STOP,
        name: str = "pool",
    ) -> None:
        if workers < 1:
            raise UsageError(f"{name} with {workers} workers would do nothing; give at least 1")
        if workers > 1 and source.mode.one_receiver:
            raise ModeViolation(f"{workers} workers of {name} cannot share {source!r}; make it MPMC, or use 1 worker")
        if workers > 1 and results is not None and results.mode.one_sender:
            raise ModeViolation(
                f"{workers} workers of {name} cannot send to {results!r}; make it MPSC, or use 1 worker"
            )
        self._handler: Final = handler
        self._source: Final = source
        self._results: Final = results
        self._workers: Final = workers
        self._on_error: Final = on_error
        self._name: Final = name
        self._handled = 0
        self._failures: list[ItemFailure[In]] = []
        self._unfinished: list[In] = []
        self._undelivered: list[tuple[In, Out]] = []

    async def run(self) -> PoolReport[In, Out]:
        """Work until the source has ended, and return what became of the items.

        Cancelling cancels the workers and waits for them; :meth:`report` then says what was in their hands.

        Raises:
            ItemFailed: The handler failed, and the policy is to stop.
            ChannelClosed: Somebody closed the results channel while results were coming.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._workers):
                    group.create_task(self._work(), name=f"{self._name}/{number}")
        except ExceptionGroup as errors:
            first = errors.exceptions[0]
            raise first from first.__cause__
        finally:
            if self._results is not None:
                self._results.close()
        return self.report()

    def report(self) -> PoolReport[In, Out]:
        """Return what became of the items so far; also after an error or a cancellation."""
        return PoolReport(self._handled, tuple(self._failures), tuple(self._unfinished), tuple(self._undelivered))

    # Helpers

    async def _work(self) -> None:
        turn_began_s = perf_counter()
        async for item in self._source:
            try:
                result = self._handler(item)
                if inspect.isawaitable(result):
                    result = await result
            except Exception as error:  # noqa: BLE001 - whatever a handler raises is this item's outcome
                self._failed(item, error)
            except asyncio.CancelledError as error:
                if cancelled_from_outside():
                    self._unfinished.append(item)
                    raise
                # Something the handler waited for was cancelled; taking that for our own end would lose a worker.
                self._failed(item, error)
            else:
                await self._deliver(item, cast("Out", result))
            if cancelled_from_outside():
                # The handler swallowed our cancellation, or answered it with an error.
                raise asyncio.CancelledError
            if perf_counter() - turn_began_s > SLICE_S:
                await asyncio.sleep(0)
                turn_began_s = perf_counter()

    def _failed(self, item: In, error: BaseException) -> None:
        self._failures.append(ItemFailure(item, error))
        if self._on_error is ErrorPolicy.STOP:
            raise ItemFailed(self._name, item, error) from error

    async def _deliver(self, item: In, result: Out) -> None:
        if self._results is not None:
            try:
                await self._results.send(result)
            except BaseException:
                self._undelivered.append((item, result))
                raise
        self._handled += 1


def cancelled_from_outside() -> bool:
    """Return whether somebody asked the running task to end; if not, a cancellation leaked from what it awaits."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
