"""Ending a run early: after a failure, at the first Ctrl-C, at the second."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wfrun.runner.run.events import InterruptRequested, RunEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wfrun.runner.child.process import ChildProcess
    from wfrun.runner.run.in_process import InProcess

__all__ = ["StopControl"]


class StopControl:
    """Knows the children that run, and tells them and everyone else when to stop."""

    def __init__(self, listener: Callable[[RunEvent], None], grace_s: float) -> None:
        self._listener = listener
        self._grace_s = grace_s
        self._children: set[ChildProcess | InProcess] = set()
        self.no_more = False
        """Start no further case."""
        self.interrupted = False
        """Ctrl-C was pressed at least once."""
        self.at_once = asyncio.Event()
        """Ctrl-C was pressed twice, or the grace after the first is over: nothing is waited for any more."""

    @contextmanager
    def holding(self, child: ChildProcess | InProcess) -> Iterator[None]:
        """Interrupt ``child`` too while it is in here."""
        self._children.add(child)
        if self.interrupted:
            child.interrupt()
        try:
            yield
        finally:
            self._children.discard(child)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take over Ctrl-C and termination of this process."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in numbers:
            with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
                # Signals belong to the main thread; a session run from another one has none of its own.
                loop.add_signal_handler(number, self._on_signal)
        try:
            yield
        finally:
            for number in numbers:
                with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
                    loop.remove_signal_handler(number)

    def end(self, *, interrupted: bool) -> None:
        """Start no further case, as the user wants it."""
        self.no_more = True
        self.interrupted = self.interrupted or interrupted

    def _on_signal(self) -> None:
        if self.interrupted:
            self._listener(InterruptRequested(2, 0.0))
            self.at_once.set()
            return
        self.interrupted = self.no_more = True
        self._listener(InterruptRequested(1, self._grace_s))
        for child in self._children:
            child.interrupt()
