"""Tasks that belong together: none outlives the block that started them.

Two ways to meet an error. ``fail_fast()`` cancels the others at the first one, because the work makes sense only as a
whole. ``collect_errors()`` lets all run to their end and then tells every error, because each is worth something alone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from contextvars import Context
    from types import TracebackType

__all__ = ["CollectingGroup", "FailFastGroup", "collect_errors", "fail_fast"]

T = TypeVar("T")


def fail_fast() -> FailFastGroup:
    """Return a group in which the first error cancels all other tasks; errors arrive as an ``ExceptionGroup``."""
    return FailFastGroup()


def collect_errors(*, raise_at_exit: bool = True) -> CollectingGroup:
    """Return a group in which every task runs to its end.

    Args:
        raise_at_exit: Whether errors that nobody took are raised as an ``ExceptionGroup`` when the block ends.
    """
    return CollectingGroup(raise_at_exit=raise_at_exit)


class FailFastGroup(asyncio.TaskGroup):
    """``asyncio.TaskGroup``, and a task refused because the group is shutting down leaves no coroutine behind."""

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Start ``coro`` as a task of this group.

        Raises:
            RuntimeError: The group has not been entered, is shutting down, or has ended.
        """
        try:
            return super().create_task(coro, name=name, context=context)
        except RuntimeError:
            coro.close()
            raise


class CollectingGroup:
    """Tasks that all run to their end, whatever becomes of the others.

    Leaving the block waits for all tasks. When the block itself is left by an error, or the task that holds it is
    cancelled, nobody is there any more to want the results: what still runs is cancelled and waited for. An error of
    the block joins the collected ones; a cancellation goes on alone, and :attr:`errors` keeps the rest.

    Each error gets a note that names its task. A task that is cancelled by somebody else has no error.
    """

    def __init__(self, *, raise_at_exit: bool = True) -> None:
        self._raise_at_exit: Final = raise_at_exit
        self._running: set[asyncio.Task[Any]] = set()
        self._errors: list[Exception] = []
        self._fatal: BaseException | None = None
        self._taken = 0
        self._open = False

    @property
    def errors(self) -> tuple[Exception, ...]:
        """The errors of the tasks so far, in the order in which they happened; also after the block."""
        return tuple(self._errors)

    def take_errors(self) -> tuple[Exception, ...]:
        """Return the errors that were not taken yet and take them over: the group will not raise them."""
        fresh = tuple(self._errors[self._taken :])
        self._taken = len(self._errors)
        return fresh

    def create_task(self, coro: Coroutine[Any, Any, T], *, name: str | None = None) -> asyncio.Task[T]:
        """Start ``coro`` as a task of this group. Tasks may start further ones until the last has ended.

        Raises:
            RuntimeError: The group has not been entered, or has ended.
        """
        if not self._open:
            coro.close()
            raise RuntimeError("the group takes tasks only inside its `async with` block; start this one there")
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._cancel_all()
        cancelled = await self._wait_for_all()
        self._open = False
        if self._fatal is not None:
            raise self._fatal
        if cancelled is not None and error is None:
            raise cancelled
        if error is not None and not isinstance(error, Exception):
            return  # a cancellation or Ctrl-C of the block goes on as it came
        untaken = self.take_errors() if self._raise_at_exit else ()
        errors = [*([] if error is None else [error]), *untaken]
        if untaken:
            raise ExceptionGroup(f"{len(errors)} of the group's tasks failed", errors) from None

    # Helpers

    async def _wait_for_all(self) -> asyncio.CancelledError | None:
        """Wait until no task runs. Being cancelled meanwhile cancels them all, and is told once they have ended."""
        cancelled: asyncio.CancelledError | None = None
        while self._running:
            try:
                await asyncio.wait(self._running)
            except asyncio.CancelledError as error:
                cancelled = error
                self._cancel_all()
        return cancelled

    def _cancel_all(self) -> None:
        for task in self._running:
            task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Exception):
            error.add_note(f"in task {task.get_name()!r}")
            self._errors.append(error)
        elif error is not None:
            self._fatal = self._fatal or error
            self._cancel_all()
