"""Running one coroutine on an event loop, in no more turns of the loop than it needs.

Theory of operation: ``run_until_complete`` hears of a task's end in the turn after it, and a turn costs as much as a
short case. So a coroutine that knows its last step ends the run there, unless something waits for another turn: then
that comes first, as it always did. A coroutine that ends in any other way is noticed as usual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    import contextvars
    from collections.abc import Coroutine

__all__ = ["drive", "end_drive"]


def drive(
    loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, None], surroundings: contextvars.Context | None
) -> None:
    """Run ``main`` as a task of ``loop`` until it has ended.

    Raises:
        RuntimeError: Somebody stopped the loop before that.
        BaseException: What ``main`` raises, or what came out of the loop.
    """
    task = loop.create_task(main, context=surroundings)
    task.add_done_callback(_stop)
    try:
        loop.run_forever()
    finally:
        task.remove_done_callback(_stop)
    if not task.done():
        raise RuntimeError("the event loop was stopped before the case was over")
    task.result()


def end_drive(task: asyncio.Task[Any] | None, loop: asyncio.AbstractEventLoop) -> None:
    """End the run that :func:`drive` began; the last thing that its coroutine, which is ``task``, does."""
    if task is None or not task.remove_done_callback(_stop):
        return
    if getattr(loop, "_ready", True):
        # Behind all that is ready now. A loop of another make does not show whether anything is.
        loop.call_soon(loop.stop)
    else:
        loop.stop()


def _stop(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    # These two leave the loop by themselves; stopping it as well would end its next run.
    if not isinstance(error, KeyboardInterrupt | SystemExit):
        task.get_loop().stop()
