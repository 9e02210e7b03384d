"""Results of workers that overtake each other, sent on in the order in which their inputs were taken.

Theory of operation. One worker at a time takes an input and with it a *ticket*, so tickets number the inputs without
wrapping them. (Two workers that receive at once may go on in another order than that of their items.) A worker that
finishes early leaves its outputs here and goes on; the worker whose ticket is due sends its own outputs and all that
follow without a gap. A worker needs one of ``window`` places before it takes an input, and the place is free again
when its outputs were sent: that bounds what waits here. The oldest ticket always holds a place and waits for nothing
but its own function, so the order cannot deadlock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from wfrun.concurrency.channel import Channel
    from wfrun.concurrency.inbox import Inbox

__all__ = ["ReorderBuffer"]


class ReorderBuffer:
    """Puts the outputs of one stage's workers back in order before ``outbox``.

    Args:
        outbox: Where outputs go; only this object sends there.
        window: Most tickets out at once, at least the number of workers.
    """

    def __init__(self, outbox: Channel[Any], window: int) -> None:
        self._outbox: Final = outbox
        self._places: Final = asyncio.Semaphore(window)
        self._taking = False
        self._idle: deque[asyncio.Future[None]] = deque()
        self._called: asyncio.Future[None] | None = None
        self._next_ticket = 0
        self._due = 0
        self._ready: dict[int, list[Any]] = {}
        self._turns: dict[int, asyncio.Future[None]] = {}
        self._sending = False

    async def take(self, inbox: Inbox, most: int) -> tuple[int, list[Any]]:
        """Return a ticket and the inputs it stands for, at most ``most``, waiting for a place, the turn and an input.

        Raises:
            EndOfChannel: There are no more inputs.
        """
        await self._begin_taking()
        try:
            batch = await inbox.receive_many(most)
        except BaseException:
            self._places.release()
            raise
        finally:
            self._end_taking()
        return self._next_ticket_number(), batch

    async def take_one(self, inbox: Inbox) -> tuple[int, Any]:
        """Return a ticket and its one input; otherwise like :meth:`take`."""
        await self._begin_taking()
        try:
            item = await inbox.receive()
        except BaseException:
            self._places.release()
            raise
        finally:
            self._end_taking()
        return self._next_ticket_number(), item

    async def stream(self, ticket: int, outputs: list[Any]) -> None:
        """Send the first part of a ticket's outputs, waiting until it is due; :meth:`finish` must follow."""
        if ticket != self._due:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._turns[ticket] = turn
            await turn
        await self._outbox.send_many(outputs)

    async def finish(self, ticket: int, outputs: list[Any]) -> None:
        """Hand in the rest of a ticket's outputs, and send everything that is due by now."""
        self._ready[ticket] = outputs
        if self._sending:
            return
        self._sending = True
        while (due := self._ready.pop(self._due, None)) is not None:
            if due:
                await self._outbox.send_many(due) if len(due) > 1 else await self._outbox.send(due[0])
            self._due += 1
            self._places.release()
        self._sending = False
        turn = self._turns.pop(self._due, None)
        if turn is not None and not turn.done():
            turn.set_result(None)

    # Taking turns. A lock would hand each input to another worker in strict order, at a turn of the event loop each;
    # here a worker that need not wait for inputs goes on with them while the one it called is still on its way.

    async def _begin_taking(self) -> None:
        await self._places.acquire()
        while self._taking:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(waiter)
            try:
                await waiter
            except BaseException:
                self._stop_waiting(waiter)
                raise
            self._called = None
        self._taking = True

    def _end_taking(self) -> None:
        self._taking = False
        while self._idle and self._called is None:
            waiter = self._idle.popleft()
            if not waiter.done():
                self._called = waiter
                waiter.set_result(None)

    def _stop_waiting(self, waiter: asyncio.Future[None]) -> None:
        if waiter is self._called:
            self._called = None
            if not self._taking:
                self._end_taking()
        elif waiter in self._idle:
            self._idle.remove(waiter)
        self._places.release()

    def _next_ticket_number(self) -> int:
        ticket = self._next_ticket
        self._next_ticket += 1
        return ticket
