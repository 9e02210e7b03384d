"""Stages in a row, joined by channels: a source goes in, results come out, and nothing is left when it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

from wfrun.concurrency.errors import EndOfChannel
from wfrun.concurrency.flow import Flow
from wfrun.concurrency.inbox import SourceFailed
from wfrun.concurrency.stages import Stage, StageFailed, StageStatistics
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from types import TracebackType

    from wfrun.concurrency.channel import Channel

__all__ = ["Pipeline", "PipelineRun", "SourceFailed", "Stage", "StageFailed", "StageStatistics"]


class Pipeline:
    """A row of stages that can be run over any number of sources.

    Args:
        stages: In order; a bare function is a ``Stage.map`` of it. Without any, the source comes out as it is.
        capacity: Most items in each channel between two stages; at least 1.
        name: Shown in channel and task names.

    Stages that share a name get their position added to it, so that errors and statistics can tell them apart.
    """

    def __init__(
        self, stages: Iterable[Stage | Callable[[Any], Any]], *, capacity: int = 100, name: str = "pipeline"
    ) -> None:
        if capacity < 1:
            raise UsageError(f"capacity {capacity} would let nothing through; give at least 1")
        self.stages: Final = _with_distinct_names(
            [stage if isinstance(stage, Stage) else Stage.map(stage) for stage in stages]
        )
        self.capacity: Final = capacity
        self.name: Final = name

    def run(self, source: Iterable[Any] | AsyncIterable[Any] | Channel[Any]) -> PipelineRun:
        """Return the results of ``source`` as an async iterator; work begins when the first is asked for."""
        return PipelineRun(self, source)

    async def collect(self, source: Iterable[Any] | AsyncIterable[Any] | Channel[Any]) -> list[Any]:
        """Return all results of ``source``.

        Raises:
            StageFailed: A stage's function raised.
            SourceFailed: The source raised.
        """
        return await self.run(source).collect()


class PipelineRun:
    """The results of one run, once through.

    An iteration that reaches its end, fails, or is cancelled while it waits for a result, has stopped all tasks of
    the run. A loop that is left earlier stops them soon after; ``async with`` or :meth:`aclose` waits until they have
    ended. A source that is a channel is consumed, and closed when the run ends early, so that its senders learn; an
    async generator is closed then as well.

    Results that were on their way when a stage failed are dropped: those that came before the error are right, but how
    many they are is a matter of timing.
    """

    def __init__(self, pipeline: Pipeline, source: Iterable[Any] | AsyncIterable[Any] | Channel[Any]) -> None:
        if not isinstance(source, (Iterable, AsyncIterable)):
            raise UsageError(f"{source!r:.200} is no source; give an iterable, an async iterable or a channel")
        self._flow: Final = Flow(pipeline.stages, source, pipeline.capacity, pipeline.name)
        self._most: Final = pipeline.capacity
        self._results: deque[Any] = deque()

    def statistics(self) -> tuple[StageStatistics, ...]:
        """Return what each stage has done so far, in order."""
        return tuple(work.statistics() for work in self._flow.works)

    async def collect(self) -> list[Any]:
        """Return all results that are still to come."""
        results: list[Any] = []
        results += self._results
        self._results.clear()
        while batch := await self._next_batch():
            results += batch
        return results

    async def batches(self) -> AsyncIterator[list[Any]]:
        """Iterate over the results in the lists in which they arrive."""
        if self._results:
            held = list(self._results)
            self._results.clear()
            yield held
        while batch := await self._next_batch():
            yield batch

    async def aclose(self) -> None:
        """Stop the run and wait until all its tasks have ended. Closing twice is fine."""
        self._results.clear()
        self._flow.stop()
        await self._flow.ended()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - what the last stage makes
        results = self._results
        if not results:
            results.extend(await self._next_batch())
            if not results:
                raise StopAsyncIteration
        return results.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        flow = getattr(self, "_flow", None)
        if flow is not None:
            flow.abandon()

    async def _next_batch(self) -> list[Any]:
        """Return results, at least one; none at the end."""
        flow = self._flow
        flow.start()
        try:
            if flow.error is None:
                return await flow.results.receive_many(self._most)
        except EndOfChannel:
            pass
        except asyncio.CancelledError:
            await self.aclose()
            raise
        await self.aclose()
        error, flow.error = flow.error, None
        if error is not None:
            raise error from error.__cause__
        return []


def _with_distinct_names(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    names = [stage.name for stage in stages]
    return tuple(
        stage if names.count(stage.name) == 1 else replace(stage, name=f"{stage.name}#{position}")
        for position, stage in enumerate(stages, 1)
    )
