"""What a task leaves behind while it waits at a channel.

A wait has up to two phases. When the task that will end it is known to run in this very turn of the loop, the waiting
one first lets one turn pass without a future (`one_turn`): both then run once in each turn, which halves the turns a
full pipeline needs. Only when that turn brought nothing does it make a future and really wait.
"""

from __future__ import annotations

import asyncio
import sys
from enum import Enum
from threading import get_ident
from types import coroutine
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

__all__ = ["Ending", "Parked", "ParkedReceiver", "ParkedSender", "Wait", "one_turn", "runs_here", "task_names", "wait"]


class Ending(Enum):
    """Why a wait ended without the operation."""

    EXPIRED = "expired"
    CLOSED = "closed"


class Parked:
    """One waiting operation, in line at a channel. It ends with itself when it went through, else with an `Ending`."""

    # No __init__: setting the attributes where one parks takes half the time, and waiting must be cheap.
    __slots__ = ("ending", "future")

    ending: Parked | Ending | None
    """How the first phase ended, if it did. The future, once there is one, says how the second did."""
    future: Wait | None

    def waits(self) -> bool:
        """Return whether it still waits; a cancelled one stays in line until its task has run."""
        return self.ending is None and (self.future is None or not self.future.done())

    def end(self, ending: Parked | Ending) -> None:
        """End the wait. Only for one that still waits."""
        self.ending = ending
        if self.future is not None:
            self.future.set_result(ending)

    def close(self) -> None:
        """End the wait because the channel ended."""
        if self.waits():
            self.end(Ending.CLOSED)


class ParkedSender(Parked):
    """A send that waits. It leaves a list of its own here; whoever makes room takes from ``start`` on, in order."""

    __slots__ = ("items", "start")

    items: list[Any]
    start: int


class ParkedReceiver(Parked):
    """A receive that waits. Whoever has items leaves up to ``most`` of them here.

    From then on the items are this receiver's, and it gives them back when it is cancelled before it runs.
    """

    __slots__ = ("items", "most")

    items: list[Any]
    most: int


Wait: TypeAlias = "asyncio.Future[Parked | Ending]"
"""``select`` parks at several channels on one such future: the first to end it has committed, the rest pass it over."""


async def wait(future: Wait, timeout_s: float | None) -> Parked | Ending:
    """Return how ``future`` ends; after ``timeout_s`` seconds it ends as expired."""
    if timeout_s is None:
        return await future
    timer = future.get_loop().call_later(max(0.0, timeout_s), _expire, future)
    try:
        return await future
    finally:
        timer.cancel()


def _expire(future: Wait) -> None:
    # Something else may have ended the wait in this very tick: exactly one of the two happens.
    if not future.done():
        future.set_result(Ending.EXPIRED)


@coroutine
def one_turn() -> Generator[None, None, None]:
    """Let every other ready task run once; ``asyncio.sleep(0)`` without its own coroutine."""
    yield


if sys.version_info >= (3, 12):

    def runs_here(future: Wait) -> bool:
        """Return whether the future's loop is the one that runs in this thread."""
        return future.get_loop() is asyncio._get_running_loop()

else:

    def runs_here(future: Wait) -> bool:
        """Return whether the future's loop is the one that runs in this thread."""
        # Before 3.12 asking for the running loop costs a system call. A loop knows the thread it runs in, if it is
        # asyncio's own; any other is asked the slow way.
        loop = future.get_loop()
        return getattr(loop, "_thread_id", None) == get_ident() or loop is asyncio._get_running_loop()


def task_names(waiting: Iterable[Parked]) -> tuple[str, ...]:
    """Return the names of the tasks that still wait, longest first.

    They are found through the future's callbacks: on Python 3.11 asking for the current task at every wait would cost
    as much as the rest of it, for a name that only a diagnosis needs.
    """
    return tuple(_task_name(parked.future) for parked in waiting if parked.waits())


def _task_name(future: Wait | None) -> str:
    for callback, *_ in getattr(future, "_callbacks", None) or ():
        owner = getattr(callback, "__self__", None)
        if isinstance(owner, asyncio.Task):
            return owner.get_name()
    return "a task"
