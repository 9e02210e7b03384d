"""Restart what crashes, but not for ever.

One for one: a crashed child is started again, its siblings do not notice. A child that crashes more often than its
bound allows has a fault that restarting does not cure; then everything is stopped and the supervisor's own ``run``
ends with an error, so that whoever supervises *it* decides. ``run`` is an async callable, so supervisors nest.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from wfrun.clock import SystemClock
from wfrun.concurrency.groups import FailFastGroup, fail_fast
from wfrun.errors import ExitCode, UsageError, WfrunError

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from wfrun.clock import Clock
    from wfrun.concurrency.retrying import RetryPolicy

__all__ = ["RestartsExceeded", "SupervisionEvent", "SupervisionEventKind", "Supervisor"]

EVENTS_KEPT: Final = 1000
"""A supervisor remembers this many of its latest events."""


class SupervisionEventKind(Enum):
    """What happened to a child."""

    STARTED = "started"
    CRASHED = "crashed"
    RESTARTED = "restarted"
    FINISHED = "finished"
    STOPPED = "stopped"
    GAVE_UP = "gave up"


@dataclass(frozen=True, slots=True)
class SupervisionEvent:
    """One thing that happened to one child."""

    at_s: float
    child: str
    kind: SupervisionEventKind
    error: BaseException | None = None


class RestartsExceeded(WfrunError):
    """A child crashed once more than it may. Its last error is the cause, ``errors`` has those in the window."""

    exit_code = ExitCode.CASE_FAILED

    def __init__(self, child: str, errors: tuple[BaseException, ...], max_restarts: int, within_s: float) -> None:
        super().__init__(
            f"{child!r} crashed {len(errors)} times within {within_s:g} s, and {max_restarts} restarts are allowed; "
            f"the last error: {errors[-1]!r}"
        )
        self.child = child
        self.errors = errors


class Supervisor:
    """Runs named children and starts each again when it crashes.

    A crash is an error, or a cancellation that the supervisor did not ask for. A child that returns has finished.

    Args:
        max_restarts: Restarts allowed for each child within ``within_s``; 0 lets the first crash end everything.
        within_s: Length of the sliding window, in seconds of ``clock``.
        backoff: Delays before restarts, by how many the window already holds; without one a restart is immediate.
        clock: The event loop's time by default.
        rng: Where the jitter of ``backoff`` comes from.
    """

    def __init__(
        self,
        *,
        max_restarts: int = 3,
        within_s: float = 60.0,
        backoff: RetryPolicy | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        if max_restarts < 0 or within_s <= 0:
            raise UsageError("a supervisor needs max_restarts >= 0 and a window within_s above 0")
        self._max_restarts: Final = max_restarts
        self._within_s: Final = within_s
        self._backoff: Final = backoff
        self._clock: Final[Clock] = SystemClock() if clock is None else clock
        self._rng: Final = rng
        self._children: dict[str, Callable[[], Awaitable[object]]] = {}
        self._keepers: set[asyncio.Task[None]] = set()
        self._group: FailFastGroup | None = None
        self._stopping = False
        self._events: deque[SupervisionEvent] = deque(maxlen=EVENTS_KEPT)

    @property
    def events(self) -> tuple[SupervisionEvent, ...]:
        """What happened so far, oldest first; the latest 1,000 are kept."""
        return tuple(self._events)

    def add(self, name: str, child: Callable[[], Awaitable[object]]) -> None:
        """Add a child; while the supervisor runs it starts at once. ``child`` is called anew for each start.

        Raises:
            UsageError: There is a child of this name, or the supervisor is stopping.
        """
        if name in self._children:
            raise UsageError(f"a child named {name!r} is here already; events could not tell the two apart")
        if self._stopping:
            raise UsageError(f"child {name!r} comes too late: the supervisor is stopping")
        self._children[name] = child
        if self._group is not None:
            # When the last child ended in this very moment the group takes no more; this one waits for the next run.
            with contextlib.suppress(RuntimeError):
                self._keep(self._group, name)

    def add_group(self, name: str, child: Callable[[int], Awaitable[object]], workers: int) -> None:
        """Add ``workers`` children named ``name/0``, ``name/1``, …; ``child`` gets the number."""
        for number in range(workers):
            self.add(f"{name}/{number}", lambda number=number: child(number))  # type: ignore[misc]

    async def run(self) -> None:
        """Run all children until each has finished, or :meth:`stop` is called.

        Cancelling cancels all children, waits for them, and goes on.

        Raises:
            RestartsExceeded: A child crashed too often; all others were stopped first.
            UsageError: It runs already.
        """
        if self._group is not None:
            raise UsageError("this supervisor runs already; make another one for the same children")
        self._stopping = False
        try:
            async with fail_fast() as group:
                self._group = group
                for name in self._children:
                    self._keep(group, name)
        except ExceptionGroup as errors:
            first = errors.exceptions[0]
            raise first from first.__cause__
        finally:
            self._group = None
            self._stopping = False

    def stop(self) -> None:
        """Cancel all children without an error; :meth:`run` returns once they have ended."""
        self._stopping = self._group is not None
        for keeper in self._keepers:
            keeper.cancel()

    # Helpers

    def _keep(self, group: FailFastGroup, name: str) -> None:
        keeper = group.create_task(self._keep_alive(name), name=f"supervisor of {name}")
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)

    async def _keep_alive(self, name: str) -> None:
        """Run one child, again and again."""
        crashes: deque[tuple[float, BaseException]] = deque()
        kind = SupervisionEventKind.STARTED
        while True:
            self._record(name, kind)
            error = await self._run_once(name)
            if error is None:
                self._record(name, SupervisionEventKind.FINISHED)
                return
            self._record(name, SupervisionEventKind.CRASHED, error)
            now_s = self._clock.monotonic()
            crashes.append((now_s, error))
            while crashes[0][0] <= now_s - self._within_s:
                crashes.popleft()
            if len(crashes) > self._max_restarts:
                self._record(name, SupervisionEventKind.GAVE_UP, error)
                errors = tuple(error for _, error in crashes)
                raise RestartsExceeded(name, errors, self._max_restarts, self._within_s) from error
            if self._backoff is not None:
                await self._clock.sleep(self._backoff.delay_s(len(crashes), self._rng))
            kind = SupervisionEventKind.RESTARTED

    async def _run_once(self, name: str) -> BaseException | None:
        """Run the child in a task of its own, so that its cancellation and ours stay apart; return how it crashed."""
        task = asyncio.create_task(_call(self._children[name]), name=name)
        while not task.done():
            try:
                await asyncio.wait((task,))
            except asyncio.CancelledError:
                await _end(task)
                error = None if task.cancelled() else task.exception()
                kind = SupervisionEventKind.STOPPED if error is None else SupervisionEventKind.CRASHED
                self._record(name, kind, error)
                raise
        if task.cancelled():
            return asyncio.CancelledError(f"{name} was cancelled from outside")
        error = task.exception()
        if error is not None and not isinstance(error, Exception):
            raise error
        return error

    def _record(self, name: str, kind: SupervisionEventKind, error: BaseException | None = None) -> None:
        self._events.append(SupervisionEvent(self._clock.monotonic(), name, kind, error))


async def _call(child: Callable[[], Awaitable[object]]) -> None:
    await child()


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel ``task`` and wait for its end, however often we are cancelled meanwhile: it must not be left behind."""
    task.cancel()
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.cancel()
