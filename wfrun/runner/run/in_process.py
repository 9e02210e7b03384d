"""Cases in this very process: a debugger and standard input need it, and nothing stands between them and the user.

Theory of operation. Cases belong to the main thread, where signals arrive and event loops of their own can run; so the
session's event loop moves to another thread for that time, and hands each case over. What runs a case is what runs it
in a child process; only the pipe between is left out.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from wfrun.runner.child.frames import FrameDecoder, encode_frame
from wfrun.runner.child.leftovers import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from wfrun.runner.child.main import Child

__all__ = ["InProcess", "beside_cases"]

T = TypeVar("T")


class InProcess:
    """Runs cases as a child process does, but here; it can neither be killed nor be told to stop by anybody else."""

    alive: Final = True
    mark: Final = ""
    """Nothing is captured, so nothing is to be told apart."""

    @property
    def ended_by_user(self) -> bool:
        """Whether Ctrl-C was pressed, or a debugger left to end the session."""
        child = _main_thread.child
        return child is not None and (child.interrupted or child.tools.quitting)

    async def ask(
        self,
        command: dict[str, Any],
        on_event: Callable[[dict[str, Any]], None] | None = None,
        *,
        pauses: bool = False,  # noqa: ARG002 - as for a child; here there is nothing to listen to
    ) -> dict[str, Any]:
        """Carry out a command in the main thread and return the answer; events on the way go to ``on_event``."""
        return await _main_thread.ask(command, on_event)

    def interrupt(self) -> None:
        """Do nothing: Ctrl-C has reached the case already."""

    def let_finish(self) -> None:
        """Do nothing: whoever leaves the debugger has said it to the child already."""

    async def kill_with_stacks(self) -> None:
        """Do nothing, as in :meth:`kill`."""

    async def kill(self) -> None:
        """Do nothing: ending the case would end the session."""

    async def close(self) -> None:
        """Do nothing: what runs the cases is needed to the end."""

    def take_output(self) -> tuple[str, int]:
        """Return nothing, as nothing is kept."""
        return "", 0


def beside_cases(session: Coroutine[Any, Any, T]) -> T:
    """Run ``session`` on an event loop in another thread, and meanwhile in this one the cases it hands over."""
    return _main_thread.serve(session)


class _MainThread:
    """The one thread that runs cases, and what it is asked."""

    def __init__(self) -> None:
        self.child: Child | None = None
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._tell: Callable[[dict[str, Any]], None] = lambda _: None

    def serve(self, session: Coroutine[Any, Any, T]) -> T:
        result: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                result.append(asyncio.run(session))
            except BaseException as error:  # noqa: BLE001 - raised again below, where somebody waits for it
                errors.append(error)
            finally:
                self._calls.put(None)

        handlers = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGINT)}
        self._child().install()
        thread = threading.Thread(target=run, name="wfrun session")
        thread.start()
        try:
            while (call := self._calls.get()) is not None:
                call()
        finally:
            thread.join()
            for number, handler in handlers.items():
                signal.signal(number, handler)
        for error in errors:
            raise error
        return result[0]

    async def ask(self, command: dict[str, Any], on_event: Callable[[dict[str, Any]], None] | None) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[dict[str, Any]] = loop.create_future()
        child = self._child()

        def tell(event: dict[str, Any]) -> None:
            if on_event is not None:
                # As it would have come through a pipe: a case's notes may be anything.
                (message,) = FrameDecoder().feed(encode_frame(event))
                loop.call_soon_threadsafe(on_event, message)

        def call() -> None:
            self._tell = tell
            try:
                (message,) = FrameDecoder().feed(encode_frame(child.handle(command)))
            except BaseException as error:  # noqa: BLE001 - raised again where the answer is waited for
                loop.call_soon_threadsafe(answer.set_exception, error)
            else:
                loop.call_soon_threadsafe(answer.set_result, message)

        self._calls.put(call)
        return await answer

    def _child(self) -> Child:
        if self.child is None:
            # As python -m does in a child: modules of the current folder can be imported.
            sys.path.insert(0, os.getcwd())  # noqa: PTH109 - sys.path holds text
            os.environ.update(MARK)
            # What children consist of is of use here only now.
            from wfrun.runner.child.main import Child  # noqa: PLC0415

            self.child = Child(self._on_event)
        return self.child

    def _on_event(self, event: dict[str, Any]) -> None:
        self._tell(event)


_main_thread: Final = _MainThread()
