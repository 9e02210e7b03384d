"""One pass over one case: set up, call, tear down, and say how it ended."""

from __future__ import annotations

import asyncio
import inspect
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from wfrun.authoring.context import Context
from wfrun.authoring.errors import SkipCase
from wfrun.authoring.fixtures import CaseResources, given_arguments
from wfrun.concurrency.errors import Unsupported
from wfrun.measure.stopwatch import Stopwatch
from wfrun.runner.child.drive import drive, end_drive
from wfrun.runner.child.failures import CaseStuck, one_line, place_text, traceback_text
from wfrun.runner.child.guard import CaseStopped
from wfrun.runner.child.leaks import leak_details, leak_message
from wfrun.runner.child.messages import CaseResult, Status
from wfrun.runner.child.tools.tool import NO_TOOLS
from wfrun.virtual_time import VirtualTimeLoop

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable, Mapping

    from wfrun.authoring.collect import CollectedCase
    from wfrun.authoring.wide import WideFixtures
    from wfrun.measure.latency import LatencyRecorder
    from wfrun.measure.run_delay import RunDelay
    from wfrun.runner.child.guard import CaseGuard
    from wfrun.runner.child.leaks import Leak, LeakWatch
    from wfrun.runner.child.tools.tool import CaseTools
    from wfrun.runner.child.undo import ProcessState

__all__ = ["Pass", "PassOptions", "make_runner", "run_case"]


# The phases of a pass. Plain text, as asking an enumeration for its members takes longer than all else here.
SET_UP: Final = "set-up"
CASE: Final = "case"
TEAR_DOWN: Final = "tear-down"
_PASSED: Final = (Status.PASSED, "", "")


@dataclass(slots=True)
class PassOptions:
    """What a pass over a case needs beside the case. Not frozen, as one is made for every case."""

    seed: int
    timeout_s: float
    teardown_grace_s: float
    measured: bool
    targets: Mapping[str, str]
    guard: CaseGuard
    on_teardowns: Callable[[list[str]], None]
    """Told the names of the tear-downs still to run, each time there are fewer."""
    state: ProcessState | None = None
    """Undoes what the case changes for others; none where figures are taken."""
    leaks: LeakWatch | None = None
    """Looks for what the case leaves behind; none where figures are taken."""
    tools: CaseTools = NO_TOOLS
    wide: WideFixtures | None = None
    """The fixtures of this process that outlive a case."""


def make_runner(case: CollectedCase) -> asyncio.Runner:
    """Return an event loop of its own for the case, on virtual time where the case is declared so."""
    return asyncio.Runner(loop_factory=VirtualTimeLoop if case.info.virtual_time else None)


def run_case(case: CollectedCase, options: PassOptions) -> CaseResult:
    """Run ``case`` once on a loop of its own and return how it ended; never raises for anything the case does."""
    single = Pass(case, options)
    runner = make_runner(case)
    single.run(runner)
    try:
        with options.guard.finishing(options.teardown_grace_s):
            runner.close()
    except BaseException as error:  # noqa: BLE001 - closing the loop runs the case's own left-over tasks
        single.failed(error)
    return single.result()


class Pass:
    """One pass over a case: run it, then ask for its :meth:`result`."""

    def __init__(
        self,
        case: CollectedCase,
        options: PassOptions,
        latency: LatencyRecorder | None = None,
        delay: RunDelay | None = None,
    ) -> None:
        self._case = case
        self._options = options
        self._guard = options.guard
        self._phase = SET_UP
        self._errors: list[tuple[str, BaseException]] = []
        self._leaks: list[Leak] = []
        self._warnings: tuple[str, ...] = ()
        self._duration_s = 0.0
        self._delay: Final = delay
        self.context = Context(
            case.info.id,
            seed=options.seed,
            measured=options.measured,
            targets=options.targets,
            latency=latency,
            delay=delay,
        )

    @cached_property
    def whole(self) -> Stopwatch:
        """What the whole case takes, where it is measured."""
        return Stopwatch(self._delay)

    def run(self, runner: asyncio.Runner, surroundings: contextvars.Context | None = None) -> None:
        """Run the pass on ``runner``'s loop; what goes wrong is kept for :meth:`result`.

        Args:
            runner: What runs it.
            surroundings: Its context variables; ``None`` for those that every pass of the runner shares.
        """
        started_s = time.perf_counter()
        loop = runner.get_loop()
        self._options.tools.on_loop(loop)
        try:
            self._guard.begin(self._options.timeout_s)
            try:
                if surroundings is None:
                    runner.run(self._main())
                else:
                    drive(loop, self._main(), surroundings)
            finally:
                self._guard.end()
        except BaseException as error:  # noqa: BLE001 - a case may raise anything, SystemExit included
            self.failed(error)
        finally:
            self._duration_s = time.perf_counter() - started_s
            try:
                self.context.close()
            except OSError as error:
                self.failed(error)
            _flush()

    def failed(self, error: BaseException) -> None:
        """Keep an error of the phase that the pass is in."""
        stuck = self._guard.stuck
        if stuck is not None and isinstance(error, asyncio.CancelledError | CaseStopped):
            error = stuck.with_traceback(error.__traceback__)
        if not any(error is known for _, known in self._errors):
            self._errors.append((self._phase, error))
            looked_at = error.__traceback__ is not None and not isinstance(error, SkipCase | Unsupported)
            if looked_at and not self._is_our_stop(error):
                self._options.tools.on_error(self._case.info, error)

    def result(self) -> CaseResult:
        """Return how the pass ended; the first thing that went wrong decides."""
        status, message, details = self._judge()
        graph = self._guard.graph
        notes = self.context.notes
        if self.context.metrics and not self._options.measured:
            notes = {**{name: value for name, (_, value) in self.context.metrics.items()}, **notes}
        return CaseResult(
            case_id=self._case.info.id,
            status=status,
            duration_s=self._duration_s,
            message=message,
            details=details,
            items=self.context.items,
            notes=notes if graph is None else {**notes, "waits": graph.to_json()},
            warnings=self._warnings,
            attachments=tuple(self.context.attachments),
        )

    async def _main(self) -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        resources, marked = self._resources(), False
        # Not beside figures: the watch costs each turn of the loop some nanoseconds.
        self._guard.attach(task, loop, look_for_deadlock=not self._options.measured)
        try:
            if resources is not None:
                await resources.set_up_wide(self._case.fixtures)
            self._mark()
            marked = True
            function = self._case.declaration.function
            if resources is None:
                arguments = given_arguments(function, self.context, self._case.arguments)
            else:
                arguments = await self._set_up(resources, function)
            self._phase = CASE
            # A plain function cannot be cancelled, only interrupted.
            if not inspect.iscoroutinefunction(function):
                self._guard.attach(None, None)
            await (self._call_measured if self._options.measured else _call)(function, arguments)
        except BaseException as error:  # noqa: BLE001 - kept, judged after tear-down
            self.failed(error)
        finally:
            if self._guard.stuck is not None:
                self.failed(self._guard.stuck)
            self._guard.attach(task, loop)
            self._phase = TEAR_DOWN
            while task is not None and task.cancelling():
                task.uncancel()
            if resources is not None and resources.pending_teardowns:
                await self._tear_down(resources)
            if marked:
                await self._clean_up()
            end_drive(task, loop)

    def _resources(self) -> CaseResources | None:
        """Return what provides the case with fixtures; none where there are none, which saves a short case a tenth."""
        case = self._case
        if not (case.fixtures or case.suite.fixtures or case.suite.teardowns):
            return None
        return CaseResources(case.suite, self.context, case.arguments, level=case.level, wide=self._options.wide)

    def _mark(self) -> None:
        if self._options.state is not None:
            self._options.state.mark()
        if self._options.leaks is not None:
            self._options.leaks.mark(self._case.info.id)

    async def _clean_up(self) -> None:
        if self._options.state is not None:
            self._warnings = self._options.state.undo(self._case.info.file)
        if self._options.leaks is not None:
            allowed = self._case.declaration.allow_leaks
            judged = not self._errors and not self._guard.timed_out
            self._leaks = await self._options.leaks.left(allowed, judged=judged)

    async def _set_up(self, resources: CaseResources, function: Callable[..., Any]) -> dict[str, Any]:
        await resources.set_up()
        arguments = await resources.arguments(function)
        if resources.pending_teardowns and not self._options.measured:
            # Told now, so that they can be named when this process is killed in the middle of the case; not
            # where figures are taken, as the parent would wake up beside them.
            self._options.on_teardowns(resources.pending_teardowns)
            resources.on_torn_down = self._options.on_teardowns
        return arguments

    async def _call_measured(self, function: Callable[..., Any], arguments: dict[str, Any]) -> None:
        context = self.context
        self.whole.start()
        outcome = function(**arguments)
        if inspect.isawaitable(outcome):
            await outcome
        self.whole.stop()
        if context.stopwatch.running:
            context.stopwatch.stop()

    async def _tear_down(self, resources: CaseResources) -> None:
        grace_s = self._options.teardown_grace_s
        self._options.on_teardowns(resources.pending_teardowns)
        grace = asyncio.timeout(grace_s)
        try:
            with self._guard.finishing(grace_s):
                async with grace:
                    await resources.tear_down()
        except (TimeoutError, CaseStopped) as error:
            stuck = f"tear-down of {', '.join(resources.pending_teardowns)} did not end within {grace_s:g} s"
            late = grace.expired() or isinstance(error, CaseStopped)
            self.failed(TimeoutError(stuck).with_traceback(error.__traceback__) if late else error)
        except BaseException as error:  # noqa: BLE001 - kept for the result
            self.failed(error)
        finally:
            self._options.on_teardowns(resources.pending_teardowns)

    def _judge(self) -> tuple[Status, str, str]:
        guard = self._guard
        checks, expected = self.context.failed_checks, self._case.info.expected_failure
        trouble = self._errors or checks or self._leaks or guard.timed_out or guard.grace_over
        if not trouble and expected is None and not guard.interrupted:
            return _PASSED
        if guard.interrupted:
            return Status.INTERRUPTED, "interrupted", guard.diagnosis
        errors: list[tuple[str, BaseException]] = [(CASE, error) for _, error in checks]
        errors += [(phase, error) for phase, error in self._errors if not self._is_our_stop(error)]
        full = self._options.tools.full_locals
        errors.sort(key=lambda each: not isinstance(each[1], CaseStuck))
        traces = [(phase, traceback_text(error, with_locals=full)) for phase, error in errors]
        details = "\n\n".join(
            (f"during {phase}:\n" if phase != CASE else "") + trace for phase, trace in traces if trace
        )
        if guard.timed_out:
            stops = [place_text(error) for _, error in self._errors if isinstance(error, CaseStopped)]
            message = f"still running after {self._options.timeout_s:g} s"
            return Status.TIMED_OUT, message, "\n\n".join(part for part in (guard.diagnosis, *stops, details) if part)
        if not errors and guard.grace_over:
            stops = [place_text(error) for _, error in self._errors]
            message = f"what it left on its event loop did not end within {self._options.teardown_grace_s:g} s"
            return Status.TIMED_OUT, message, "\n\n".join(stops)
        if not errors and expected is not None:
            return Status.FAILED, f"unexpectedly passed; it was expected to fail: {expected}", ""
        if not errors and self._leaks:
            return Status.FAILED, leak_message(self._leaks), leak_details(self._leaks)
        if not errors:
            return Status.PASSED, "", ""
        phase, error = errors[0]
        if isinstance(error, SkipCase):
            return Status.SKIPPED, str(error), ""
        if isinstance(error, Unsupported) and self._options.targets:
            return Status.SKIPPED, str(error), ""
        if phase == CASE and expected is not None:
            return Status.EXPECTED_FAILURE, f"{expected} ({self._told(errors)})", details
        if phase == CASE:
            return Status.FAILED, self._told(errors), details
        return Status.ERROR, f"{phase} failed: {one_line(error)}", details

    def _told(self, errors: list[tuple[str, BaseException]]) -> str:
        """Return one line for the case's own failure, or for each of the checks that failed before it."""
        names = {id(error): what for what, error in self.context.failed_checks}
        if not names:
            return one_line(errors[0][1])
        lines = [
            f"{what}: {one_line(error)}" if (what := names.get(id(error))) else one_line(error)
            for phase, error in errors
            if phase == CASE
        ]
        return lines[0] if len(lines) == 1 else f"{len(lines)} failures: {'; '.join(lines)}"

    def _is_our_stop(self, error: BaseException) -> bool:
        stopped = self._guard.timed_out or self._guard.interrupted or self._guard.stuck is not None
        return isinstance(error, CaseStopped) or (stopped and isinstance(error, asyncio.CancelledError))


async def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    outcome = function(**arguments)
    if inspect.isawaitable(outcome):
        await outcome


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # The case closed it; what it printed before has gone through already, line by line.
            continue
