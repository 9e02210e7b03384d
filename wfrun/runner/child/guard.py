"""Time-outs and interrupts inside the child: one case at a time is stopped, whether it awaits, blocks or computes.

Theory of operation: both arrive as signals, so they reach the main thread even when the event loop is blocked. The
first one cancels the case's task, which lets its ``finally`` blocks and tear-downs run. When the case goes on all the
same (it blocks the loop, or swallows the cancellation), a second one is raised as an exception from wherever the main
thread is. Tear-downs, and the closing of the loop, have a grace of their own, after which they too are left by an
exception. Code that never returns to Python is the parent's to kill.

A case that waits for what can never come need not wait for its time to be up: see :mod:`wfrun.runner.child.watch`.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.failures import CaseStuck
from wfrun.runner.child.signals import handler_of, unblock
from wfrun.runner.child.watch import StuckWatch
from wfrun.waits import cancel_task, find_wakers, wait_graph

if TYPE_CHECKING:
    import asyncio
    import types
    from collections.abc import Iterator

    from wfrun.waits import WaitGraph

__all__ = ["CaseGuard", "CaseStopped"]

SECOND_CALL_S: Final = 1.0
"""After this a case that was cancelled and still runs is interrupted by force."""
STALLED_S: Final = 1.0
"""A loop that only its own timers have woken for as long is called stalled."""


_SIGNALS: Final = (int(signal.SIGALRM), int(signal.SIGINT), int(signal.SIGUSR2))


class CaseStopped(BaseException):
    """Raised inside a case that must end now: its time is up, or the user pressed Ctrl-C."""


class CaseGuard:
    """Stops the case that runs inside :meth:`watching`."""

    def __init__(self) -> None:
        self.timed_out = False
        self.interrupted = False
        self.enough = False
        """The parent wants no further case; the one that runs may finish."""
        self.diagnosis = ""
        """Where every task waited when the case's time was up."""
        self.stuck: CaseStuck | None = None
        """What the case waits for that can never come."""
        self.graph: WaitGraph | None = None
        """Who waited for what when the case was stopped."""
        self.grace_over = False
        """A tear-down, or what was left on the loop, had to be left by force."""
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watching = False
        self._finishing = False
        self._calls = 0
        self._suspended = False
        self._watch = StuckWatch(self._on_stuck)
        # The very same objects each time, as they are compared for every case.
        self._handlers: Final = tuple(zip(_SIGNALS, (self._on_signal, self._on_signal, self._on_enough), strict=True))

    def install(self) -> None:
        """Take over three signals of this process, again where a case has changed what they do."""
        for number, handler in self._handlers:
            if handler_of(number) is not handler:
                signal.signal(number, handler)
        unblock(_SIGNALS)

    @contextmanager
    def watching(self, timeout_s: float) -> Iterator[None]:
        """Watch over one pass; :attr:`timed_out` and :attr:`interrupted` tell afterwards what happened."""
        self.begin(timeout_s)
        try:
            yield
        finally:
            self.end()

    def begin(self, timeout_s: float) -> None:
        """Begin to watch over one pass, as :meth:`watching` does at more than twice the cost."""
        self.install()
        self.timed_out = self.grace_over = False
        self.diagnosis = ""
        self.stuck = self.graph = None
        self._calls = 0
        self._suspended = False
        self._watching = True
        signal.setitimer(signal.ITIMER_REAL, timeout_s)

    def end(self) -> None:
        """Watch over the pass no longer."""
        self._watching = False
        self.attach(None, None)
        signal.setitimer(signal.ITIMER_REAL, 0)

    def attach(
        self,
        task: asyncio.Task[None] | None,
        loop: asyncio.AbstractEventLoop | None,
        *,
        look_for_deadlock: bool = False,
    ) -> None:
        """Name the task to cancel; ``None`` while a plain function runs, which is interrupted where it is.

        With ``look_for_deadlock`` the task is also cancelled as soon as it can never go on.
        """
        self._task = task
        self._loop = loop
        if look_for_deadlock and task is not None and loop is not None:
            self._watch.start(task, loop)
        else:
            self._watch.stop()

    def suspend(self) -> None:
        """Give this pass as long as it takes: somebody looks at it in a debugger."""
        self._suspended = True
        signal.setitimer(signal.ITIMER_REAL, 0)

    @contextmanager
    def finishing(self, grace_s: float) -> Iterator[None]:
        """Give what follows the case ``grace_s``; what blocks longer is left by :class:`CaseStopped`, each time anew.

        Ctrl-C changes nothing here: what finishes is what it asks for.
        """
        self._watch.stop()
        self._finishing = True
        if not self._suspended:
            signal.setitimer(signal.ITIMER_REAL, grace_s + SECOND_CALL_S, SECOND_CALL_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._finishing = False

    def _on_enough(self, _number: int, _frame: types.FrameType | None) -> None:
        self.enough = True

    def _on_signal(self, number: int, _frame: types.FrameType | None) -> None:
        if number == signal.SIGINT:
            self.interrupted = True
        if self._finishing:
            if number == signal.SIGALRM:
                self.grace_over = True
                raise CaseStopped
            return
        if not self._watching:
            return
        self._calls += 1
        if number == signal.SIGALRM and not self.interrupted:
            self.timed_out = True
        if self._loop is not None and self._task is not None and self._calls == 1:
            self.diagnosis = self._diagnose(self._task, self._loop)
            self._loop.call_soon_threadsafe(cancel_task, self._task, self._loop)
            signal.setitimer(signal.ITIMER_REAL, SECOND_CALL_S)
            return
        # A blocked loop gets the exception too, but only once: what follows is tear-down.
        if self._calls <= 2:
            raise CaseStopped

    def _on_stuck(self, message: str, graph: WaitGraph, why: str) -> None:
        if self._task is None or self._loop is None:
            return
        if self.stuck is None:
            self.stuck, self.graph = CaseStuck(message, "\n".join(part for part in (graph.text(), why) if part)), graph
            cancel_task(self._task, self._loop)
        else:
            # It swallowed its cancellation and waits for ever once more.
            raise CaseStopped

    def _diagnose(self, task: asyncio.Task[None], loop: asyncio.AbstractEventLoop) -> str:
        """Return who waits for what, and what could still have come."""
        self.graph = wait_graph(loop, task)
        lines = [self.graph.text()]
        if (seconds := self._watch.only_timers_s) >= STALLED_S:
            lines.insert(0, f"stalled: for {seconds:.1f} s nothing has woken the event loop but its own timers")
        if wakers := find_wakers(loop):
            lines.append("what could still wake it: " + "; ".join(waker.text for waker in wakers))
        return "\n".join(lines)
