"""The event loop that the checked cases of a suite file share in this process, and the fixtures that outlive a case.

Theory of operation: the loop runs only while a case does, and is closed when the process leaves the file, unless an
async fixture of the session lives on it. What a case leaves on it is ended before the next one starts: its tasks are
cancelled, threads of the loop's executor waited for. What a wide fixture started stays.
"""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from wfrun.authoring.declarations import Scope
from wfrun.authoring.wide import WideFixtures
from wfrun.runner.child.counts import at_most_tasks
from wfrun.runner.child.execute import Pass, run_case
from wfrun.runner.child.failures import one_line, place_text, traceback_text
from wfrun.runner.child.guard import CaseStopped
from wfrun.runner.child.messages import EVENT_LOOP, FixtureFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wfrun.authoring.collect import CollectedCase
    from wfrun.authoring.wide import WideFixture
    from wfrun.runner.child.execute import PassOptions
    from wfrun.runner.child.guard import CaseGuard
    from wfrun.runner.child.messages import CaseResult

__all__ = ["SuiteLoop", "tasks_left", "tear_down_wide", "without_asyncio"]

P = ParamSpec("P")
T = TypeVar("T")


class SuiteLoop:
    """Runs cases on the loop of their suite; one for each process."""

    def __init__(self, guard: CaseGuard) -> None:
        self.wide = WideFixtures()
        self._guard = guard
        self._file = ""
        self._runner: asyncio.Runner | None = None
        self._threads = _Threads()

    def enter(self, file: str, grace_s: float) -> list[FixtureFailure]:
        """Be in ``file`` from now on; leave the one before where nobody has asked for that, and return what failed."""
        failures = self.leave(Scope.SUITE, grace_s) if self._file not in {"", file} else []
        self._file = file
        return failures

    def run(self, case: CollectedCase, options: PassOptions) -> CaseResult:
        """Run ``case`` once and return how it ended; never raises for anything that the case does."""
        if case.info.own_loop or case.info.virtual_time:
            return run_case(case, options)
        single = Pass(case, options)
        runner = self._opened()
        # A copy for each case: context variables that one sets are not there for the next.
        single.run(runner, contextvars.copy_context())
        if self._threads.used or not at_most_tasks(0):
            try:
                with self._guard.finishing(options.teardown_grace_s):
                    self._clear(runner)
            except BaseException as error:  # noqa: BLE001 - what is ended here is the case's own code
                single.failed(error)
        return single.result()

    def leave(self, scope: Scope, grace_s: float) -> list[FixtureFailure]:
        """Tear down what lives no longer than ``scope``, and close the loop where nothing lives on it.

        Returns:
            What failed in that.
        """
        file, self._file = self._file, ""
        failures = []
        if self.wide.held(scope):
            failures += list(tear_down_wide(self._opened(), self.wide, scope, self._guard, grace_s))
        self.wide.forget(scope)
        if self._runner is not None and not self.wide.on_loop:
            runner, self._runner = self._runner, None
            self._forget_threads(runner.get_loop())
            try:
                with self._guard.finishing(grace_s):
                    _close(runner)
            except BaseException as error:  # noqa: BLE001 - as above
                how = f"what was left on it did not end within {grace_s:g} s"
                message = how if isinstance(error, CaseStopped) else one_line(error)
                failures.append(FixtureFailure(EVENT_LOOP, scope, message, traceback_text(error)))
        return [replace(failure, file=file) for failure in failures]

    def _opened(self) -> asyncio.Runner:
        if self._runner is None or self._runner.get_loop().is_closed():
            self._runner = asyncio.Runner()
            # The loop before has shut down its threads as it closed.
            self._threads = _Threads()
            self._runner.get_loop().set_default_executor(self._threads)
        return self._runner

    def _forget_threads(self, loop: asyncio.AbstractEventLoop) -> None:
        # A loop starts a thread to end its executor even where that was never used, which takes longer than a suite of
        # short cases. A loop of another make is left to do so.
        if not self._threads.used and getattr(loop, "_default_executor", None) is self._threads:
            setattr(loop, "_default_executor", None)  # noqa: B010 - no public way, and no name that is declared

    def _clear(self, runner: asyncio.Runner) -> None:
        loop = runner.get_loop()
        if loop.is_closed():
            return
        left = tasks_left(loop, self.wide)
        for task in left:
            task.cancel()
        if left:
            runner.run(_ended(left))
        if self._threads.used and not self.wide.on_loop:
            self._threads.shutdown(cancel_futures=True)
            self._threads = _Threads()
            loop.set_default_executor(self._threads)


def tasks_left(loop: asyncio.AbstractEventLoop, wide: WideFixtures) -> list[asyncio.Task[Any]]:
    """Return the tasks that a case started on ``loop`` and that have not ended; wide fixtures' are none of them."""
    return [task for task in asyncio.all_tasks(loop) if not wide.owns(task)]


def tear_down_wide(
    runner: asyncio.Runner, wide: WideFixtures, scope: Scope, guard: CaseGuard, grace_s: float
) -> Iterator[FixtureFailure]:
    """Tear down, the last made first, each wide fixture that lives no longer than ``scope``; yield what failed."""
    for fixture in wide.held(scope):
        try:
            with guard.finishing(grace_s):
                runner.run(_torn_down(wide, fixture, grace_s))
        except BaseException as error:  # noqa: BLE001 - what is run here is anybody's
            late = isinstance(error, CaseStopped) or _is_end_of_grace(error)
            message = f"its tear-down did not end within {grace_s:g} s" if late else one_line(error)
            trace = place_text(error.__cause__ or error) if late else traceback_text(without_asyncio(error))
            yield FixtureFailure(fixture.name, fixture.scope, message, trace)
        finally:
            fixture.generator = None
            wide.on_change()


class _Threads(ThreadPoolExecutor):
    """The executor of a loop, which knows whether it was used."""

    used = False

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        self.used = True
        return super().submit(function, *args, **kwargs)


def _close(runner: asyncio.Runner) -> None:
    """Close the loop; at once where nothing lives on it that would have to be ended before."""
    loop = runner.get_loop()
    idle = at_most_tasks(0) and not getattr(loop, "_asyncgens", True)
    if idle and getattr(loop, "_default_executor", loop) is None and not loop.is_closed():
        # As the runner would, but for two turns of the loop that end nothing.
        asyncio.set_event_loop(None)
        loop.close()
    else:
        runner.close()


async def _ended(tasks: list[asyncio.Task[Any]]) -> None:
    await asyncio.wait(tasks)


async def _torn_down(wide: WideFixtures, fixture: WideFixture, grace_s: float) -> None:
    async with asyncio.timeout(grace_s):
        await wide.tear_down(fixture)


def without_asyncio(error: BaseException) -> BaseException:
    """Return ``error`` without the frames that led from the runner over the event loop to the fixture."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals.get("__name__", "").startswith(("asyncio", "wfrun.")):
        frames = frames.tb_next
    return error.with_traceback(frames)


def _is_end_of_grace(error: BaseException) -> bool:
    # asyncio.timeout makes a TimeoutError of the cancellation it began; one that a fixture raises comes without.
    return isinstance(error, TimeoutError) and isinstance(error.__cause__, asyncio.CancelledError)
