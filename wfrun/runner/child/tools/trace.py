"""``--trace``: what a case's process did when: fixtures, tasks, stages and waits at channels, and what it took.

Theory of operation. Nothing of this is known to what is traced. A process that traces puts its own functions around a
few of theirs, before any suite is loaded: so a process that does not trace runs not one instruction more. A wait at a
channel is seen from outside: an operation that hands control to the event loop waits, one that does not has gone
through. Where a session counts time, the trace counts it on ``time.monotonic_ns``, virtual time or not.
"""

from __future__ import annotations

import asyncio
import functools
import os
import weakref
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import wfrun.authoring.workloads as workloads_module
import wfrun.concurrency.selecting as selecting_module
from wfrun.authoring.fixtures import CaseResources
from wfrun.authoring.wide import WideFixtures
from wfrun.concurrency.channel import Channel, _Batches
from wfrun.concurrency.lines import WaitingLines
from wfrun.concurrency.stage_work import StageWork
from wfrun.runner.child.tools.recorder import Recorder, Span
from wfrun.runner.child.tools.sampler import Sampler
from wfrun.runner.child.tools.tool import CaseTool
from wfrun.runner.child.tools.waiting import noticing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wfrun.authoring.info import CaseInfo
    from wfrun.authoring.levels import FoundFixture
    from wfrun.authoring.wide import WideFixture
    from wfrun.runner.child.messages import CaseResult

__all__ = ["Trace"]

TASKS: Final = "tasks"
STAGES: Final = "stages"
SENDS: Final = ("send", "send_many")
RECEIVES: Final = ("receive", "receive_many", "__anext__")


class Trace(CaseTool):
    """Records every case of this process in a file of its own in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._recorder: Final = Recorder(folder / f"{os.getpid()}.jsonl")
        self._sampler: Final = Sampler(self._recorder)
        self._stages: dict[int, tuple[Span, int]] = {}
        _wrap_channels(self._recorder, self._sampler)
        self._wrap_stages()
        _wrap_fixtures(self._recorder)
        self._sampler.start()

    def on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Record the loop's tasks, and how long its turns take."""
        factory = loop.get_task_factory()
        if not isinstance(factory, _TaskFactory):
            loop.set_task_factory(_TaskFactory(self._recorder, factory))
        self._sampler.watch(loop)

    def run(self, info: CaseInfo, once: Callable[[], CaseResult]) -> CaseResult:
        """Record one case."""
        recorder = self._recorder
        with recorder.span(f"{info.suite_title} · {info.title}", "case", case=info.id) as span:
            # Written at once, so that a case that ends its process is there too.
            recorder.flush()
            self._sampler.sample()
            result = once()
            self._sampler.rest()
            self._sampler.sample()
            recorder.note(span, status=result.status)
        recorder.flush()
        return result

    def _wrap_stages(self) -> None:
        work, run_stage = StageWork.work, workloads_module._run_stage

        @wraps(work)
        async def traced_work(stage: StageWork) -> None:
            self._enter_stage(id(stage), stage.stage.name, stage.stage.workers)
            try:
                await work(stage)
            finally:
                self._leave_stage(id(stage))

        @wraps(run_stage)
        async def traced_run_stage(stage: Any, inbox: Any, outbox: Any) -> None:  # noqa: ANN401 - passed through
            task = id(asyncio.current_task())
            self._enter_stage(task, getattr(stage, "__name__", repr(stage)), 1)
            try:
                await run_stage(stage, inbox, outbox)
            finally:
                self._leave_stage(task)

        _replace(StageWork, "work", traced_work)
        _replace(workloads_module, "_run_stage", traced_run_stage)

    def _enter_stage(self, key: int, name: str, workers: int) -> None:
        span, inside = self._stages.get(key, (None, 0))
        if span is None:
            span = self._recorder.begin(name, "stage", self._recorder.here(), slots=STAGES, facts={"workers": workers})
        self._stages[key] = span, inside + 1

    def _leave_stage(self, key: int) -> None:
        span, inside = self._stages.pop(key)
        if inside > 1:
            self._stages[key] = span, inside - 1
        else:
            self._recorder.end(span, slots=STAGES)


class _TaskFactory:
    """Makes tasks that are recorded, by ``inner`` where a loop has a factory of its own."""

    def __init__(self, recorder: Recorder, inner: Any) -> None:  # noqa: ANN401 - a task factory, or None
        self._recorder = recorder
        self.inner = inner

    def __call__(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:  # noqa: ANN401 - passed through
        recorder = self._recorder
        name = getattr(coroutine, "__qualname__", type(coroutine).__name__)
        span = recorder.begin("main task" if name == "Pass._main" else name, "task", recorder.here(), slots=TASKS)
        make = functools.partial(asyncio.Task, loop=loop) if self.inner is None else functools.partial(self.inner, loop)
        task: asyncio.Task[Any] = make(coroutine, **options)
        recorder.adopt(task, span)
        task.add_done_callback(lambda done: recorder.end(span, slots=TASKS, task=done.get_name()))
        return task


def _wrap_channels(recorder: Recorder, sampler: Sampler) -> None:
    initialise, select = WaitingLines.__init__, selecting_module.select

    @wraps(initialise)
    def traced_init(channel: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - passed through
        initialise(channel, *arguments, **options)
        sampler.count(weakref.ref(channel))

    _replace(WaitingLines, "__init__", traced_init)
    for name in (*SENDS, *RECEIVES):
        _wrap_operation(recorder, sampler, Channel, name)
    _wrap_operation(recorder, sampler, _Batches, "__anext__")

    @wraps(select)
    async def traced_select(*arms: Any, **options: Any) -> Any:  # noqa: ANN401 - passed through
        return await noticing(select(*arms, **options), lambda: _waiting(recorder, "select", "several channels"))

    _replace(selecting_module, "select", traced_select)


def _wrap_operation(recorder: Recorder, sampler: Sampler, owner: type[Any], name: str) -> None:
    operation = getattr(owner, name)
    verb = "send" if name in SENDS else "receive"

    @wraps(operation)
    async def traced(self: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - passed through
        channel = getattr(self, "_channel", self)

        def begin() -> Callable[[], None]:
            sampler.look_at(channel)
            ended = _waiting(recorder, verb, channel._label())

            def end() -> None:
                ended()
                sampler.look_at(channel)

            return end

        return await noticing(operation(self, *arguments, **options), begin)

    _replace(owner, name, traced)


def _waiting(recorder: Recorder, verb: str, channel: str) -> Callable[[], None]:
    span = recorder.begin(f"{verb}: {channel}", "wait", recorder.here())
    return lambda: recorder.end(span)


def _wrap_fixtures(recorder: Recorder) -> None:
    make, push = CaseResources._make, CaseResources._push

    @wraps(make)
    async def traced_make(resources: CaseResources, found: FoundFixture) -> Any:  # noqa: ANN401 - the fixture's value
        with recorder.span(found.declaration.name, "fixture"):
            return await make(resources, found)

    @wraps(push)
    def traced_push(resources: CaseResources, name: str, teardown: Any, *arguments: Any) -> None:  # noqa: ANN401 - as above
        async def traced_teardown(*given: Any) -> None:  # noqa: ANN401 - as above
            with recorder.span(name, "tear-down"):
                await teardown(*given)

        push(resources, name, traced_teardown, *arguments)

    make_wide, tear_down_wide, mark_tasks = WideFixtures._make, WideFixtures.tear_down, WideFixtures._mark_tasks

    @wraps(make_wide)
    async def traced_make_wide(wide: WideFixtures, found: FoundFixture, asker: str) -> WideFixture:
        with recorder.span(found.declaration.name, "fixture", scope=found.declaration.scope):
            return await make_wide(wide, found, asker)

    @wraps(tear_down_wide)
    async def traced_tear_down_wide(wide: WideFixtures, fixture: WideFixture) -> None:
        with recorder.span(fixture.name, "tear-down", scope=fixture.scope):
            await tear_down_wide(wide, fixture)

    @wraps(mark_tasks)
    def traced_mark_tasks(wide: WideFixtures) -> None:
        factory = asyncio.get_running_loop().get_task_factory()
        if isinstance(factory, _TaskFactory) and factory.inner is None:
            # It takes a loop with a factory for somebody else's.
            factory.inner = wide._create_task
        else:
            mark_tasks(wide)

    _replace(WideFixtures, "_make", traced_make_wide)
    _replace(WideFixtures, "tear_down", traced_tear_down_wide)
    _replace(WideFixtures, "_mark_tasks", traced_mark_tasks)
    _replace(CaseResources, "_make", traced_make)
    _replace(CaseResources, "_push", traced_push)


def _replace(owner: Any, name: str, function: Callable[..., Any]) -> None:  # noqa: ANN401 - a class or a module
    setattr(owner, name, function)
