"""Cancelling a task that may wait for itself.

asyncio cancels a task by cancelling what it waits for. Where that is a task which waits, over others, for the first
one, it goes round until the stack is full. So such a circle is cut before: one of its tasks is woken as if what it
waits for had been cancelled.
"""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["cancel_task"]


def cancel_task(task: asyncio.Task[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Cancel ``task`` in the next turn of ``loop``, with all circles cut. Call it in the loop's thread."""
    cut: set[asyncio.Task[Any]] = set()
    for start in asyncio.all_tasks(loop):
        while (last := _closes_circle(start, cut)) is not None:
            cut.add(last)
            _wake_cancelled(last, loop)
    loop.call_soon(task.cancel)


def _closes_circle(start: asyncio.Task[Any], cut: set[asyncio.Task[Any]]) -> asyncio.Task[Any] | None:
    """Return a task that awaits one which, over others, awaits it; found from ``start``."""
    path: list[asyncio.Task[Any]] = [start]
    ways = [iter(_awaited(start, cut))]
    seen = {start}
    while ways:
        following = next(ways[-1], None)
        if following is None:
            ways.pop()
            del path[-1:]
        elif following in path:
            return path[-1]
        elif following not in seen:
            seen.add(following)
            path.append(following)
            ways.append(iter(_awaited(following, cut)))
    return None


def _awaited(task: asyncio.Task[Any], cut: set[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    future = getattr(task, "_fut_waiter", None)
    if future is None or task in cut:
        return []
    return [each for each in (future, *getattr(future, "_children", ())) if isinstance(each, asyncio.Task)]


def _wake_cancelled(task: asyncio.Task[Any], loop: asyncio.AbstractEventLoop) -> None:
    waited_for: asyncio.Future[Any] = task._fut_waiter  # type: ignore[attr-defined]  # typeshed leaves it out
    for wake_up, context in list(getattr(waited_for, "_callbacks", None) or ()):
        if getattr(wake_up, "__self__", None) is task:
            waited_for.remove_done_callback(wake_up)
            cancelled = loop.create_future()
            cancelled.cancel()
            loop.call_soon(wake_up, cancelled, context=context)
