"""Finds a case that can never go on, while it waits, in less than a second.

Theory of operation. An event loop that has nothing ready asks its selector to wait. The watch stands between the two:
it lets the loop wait in slices, and looks around after each, so it costs nothing while the loop is busy and needs
neither a thread nor a signal. There are two ways to be sure:

- The loop waits without a timer, and nothing is there that could wake it: no descriptor, no thread, no child process,
  no signal handler. Whoever was there before the look has left its mark in the loop's own pipe, which is read last.
- Something could wake the loop, but nothing of it leads to the case (:mod:`wfrun.waits.isolated`).

Each has to hold at two looks, one after the other. In doubt nothing is said, and the case's time-out tells what waits.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from wfrun.runner.child.counts import at_most_tasks
from wfrun.virtual_time import RealWait, VirtualTimeLoop
from wfrun.waits import find_wakers, foreign_threads, stuck_tasks, wait_graph

if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable

    from wfrun.waits import WaitGraph

__all__ = ["StuckWatch"]

LOOK_S: Final = 0.15
VIRTUAL_LOOK_S: Final = 0.02
"""On virtual time nobody waits for a slow timer."""
LOOKS: Final = 2
PROOF_SHARE: Final = 0.02
"""The part of a case's time that looking for a proof may take."""
PROOF_START_S: Final = 0.05
"""What it may take in any case."""
SILENCE: Final = "nothing could wake the loop: no timer, no descriptor, no thread, no child process, no signal handler"
UNREACHED: Final = "what still runs, timers and other tasks included, holds nothing that leads to them"


class StuckWatch:
    """Watches the loop of one case at a time.

    Args:
        on_stuck: Called in the loop's thread, with one line, the graph of those that wait, and why that is known.
    """

    def __init__(
        self,
        on_stuck: Callable[[str, WaitGraph, str], None],
    ) -> None:
        self._on_stuck: Final = on_stuck
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._selector: selectors.BaseSelector | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._select: Callable[[float | None], list[Any]] = lambda _timeout: []
        self._wait = self._select
        self._slice_s = LOOK_S
        self._started_s = self._next_look_s = self._woken_s = 0.0
        self._woken = False
        self._silent = self._proven = self._waiter_id = 0
        self._proof_s = 0.0
        self._earlier: frozenset[int] = frozenset()

    def start(self, task: asyncio.Task[Any], loop: asyncio.AbstractEventLoop) -> None:
        """Watch over ``task``, which runs on ``loop``, until :meth:`stop`."""
        self.stop()
        self._task, self._loop = task, loop
        self._started_s = self._woken_s = time.monotonic()
        self._woken = False
        self._silent = self._proven = self._waiter_id = 0
        self._proof_s = 0.0
        # What was there before is not the case's. By number, because whoever holds a task could wake it.
        self._earlier = frozenset() if at_most_tasks(1) else frozenset(map(id, asyncio.all_tasks(loop)))
        virtual = loop if isinstance(loop, VirtualTimeLoop) else None
        self._slice_s = LOOK_S if virtual is None else VIRTUAL_LOOK_S
        self._next_look_s = self._started_s + self._slice_s
        selector = getattr(loop, "_selector", None)
        if not isinstance(loop, asyncio.SelectorEventLoop) or selector is None:
            # Another kind of loop does not show its timers, so that only a proof can tell; and it wakes itself for it.
            self._timer = loop.call_later(LOOK_S, self._on_timer)
            return
        self._selector = selector
        self._select = self._wait = selector.select
        watched = self._watched_select
        if virtual is not None:
            virtual.strict = True
            self._wait = selector.wait
            watched = self._watched_virtual_select
        vars(selector)["select"] = watched

    def stop(self) -> None:
        """Leave the loop as it was."""
        if self._task is None:
            return
        if self._selector is not None:
            vars(self._selector).pop("select", None)
        if self._timer is not None:
            self._timer.cancel()
        if isinstance(self._loop, VirtualTimeLoop):
            # What tears down may meet real things; it is on the guard's real clock, too.
            self._loop.strict = False
        self._task = self._loop = self._selector = self._timer = None

    @property
    def only_timers_s(self) -> float:
        """Seconds for which nothing has woken the loop but its own timers and tasks; 0 where that is not known."""
        return 0.0 if self._selector is None or self._woken else time.monotonic() - self._woken_s

    # Between the loop and its selector

    def _watched_select(self, timeout: float | None = None) -> list[Any]:
        if timeout is not None and timeout <= 0:
            # Something is ready, so this is no time to look around, and every turn of a busy loop comes by here.
            events = self._select(timeout)
            if events:
                self._woken = True
            return events
        events = self._wait(self._slice_s if timeout is None else min(timeout, self._slice_s))
        return self._seen(events, idle=timeout is None)

    def _watched_virtual_select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            return self._seen(self._wait(self._slice_s), idle=True)
        try:
            return self._seen(self._select(timeout), idle=False)
        except RealWait as error:
            if self._task is not None and self._loop is not None:
                self._on_stuck(str(error), wait_graph(self._loop, self._task), "")
            return []

    def _seen(self, events: list[Any], *, idle: bool) -> list[Any]:
        if events:
            self._woken = True
            self._silent = 0
            return events
        now_s = time.monotonic()
        if now_s < self._next_look_s:
            return events
        self._next_look_s = now_s + self._slice_s
        if self._woken:
            self._woken, self._woken_s = False, now_s
        return self._look(now_s, idle=idle)

    # Looks

    def _look(self, now_s: float, *, idle: bool) -> list[Any]:
        loop, task = self._loop, self._task
        if loop is None or task is None or task.done():
            return []
        if idle and not find_wakers(loop):
            events = self._select(0)
            if not events and not getattr(loop, "_ready", ()):
                self._silent += 1
                if self._silent >= LOOKS:
                    self._found(wait_graph(loop, task, only=self._of_case(loop, task)), SILENCE)
            return events
        self._silent = 0
        self._prove(loop, task, now_s)
        return []

    def _prove(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any], now_s: float) -> None:
        waiter_id = id(getattr(task, "_fut_waiter", None))
        waits_on, self._waiter_id = waiter_id == self._waiter_id, waiter_id
        may_take_s = PROOF_START_S + PROOF_SHARE * (now_s - self._started_s)
        if not waits_on or foreign_threads():
            self._proven = 0
            return
        if self._proof_s > may_take_s and not self._proven:
            return
        # The time of this thread, as a busy machine should not make looking seem dear.
        began_s = time.thread_time()
        try:
            stuck = stuck_tasks(loop, task)
        except Exception:  # noqa: BLE001 - it looks at objects of anybody's classes, and a doubt is no proof
            stuck = []
        self._proof_s += time.thread_time() - began_s
        self._proven = self._proven + 1 if stuck else 0
        if self._proven >= LOOKS:
            self._found(wait_graph(loop, task, only=stuck), UNREACHED)

    def _of_case(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> list[asyncio.Task[Any]]:
        return [each for each in asyncio.all_tasks(loop) if each is task or id(each) not in self._earlier]

    def _found(self, graph: WaitGraph, why: str) -> None:
        self._silent = self._proven = 0
        self._on_stuck(f"deadlock: {graph.summary()}", graph, why)

    def _on_timer(self) -> None:
        if self._loop is not None and self._task is not None and not self._task.done():
            self._timer = self._loop.call_later(LOOK_S, self._on_timer)
            self._prove(self._loop, self._task, time.monotonic())
