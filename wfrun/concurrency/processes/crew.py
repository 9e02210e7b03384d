"""The processes behind process workers: who has which item, how much more they can take, and what a death means.

Everything here happens in callbacks of one event loop, when a worker's pipe is readable or its process has ended; there
is no task and no thread. A worker's *window* is how many items may be with it at once: as many as are expected to take
10 ms, from 1 to 1024, so that tiny items travel in batches and slow ones do not queue behind each other.

A job stays in the parent, in ``assigned`` of its worker, until its result is there. When a worker dies its results are
first read to the end; what is then still assigned is handed out again. So an item may be executed more than once, and
is done exactly once. The worker notes in shared memory which item it is at: that one alone is to blame for a death,
and after ``most_deaths`` of them it is given up.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from wfrun.concurrency.processes.errors import WorkerStartFailed
from wfrun.concurrency.processes.items import Batch, Failure
from wfrun.concurrency.processes.loop import LoopWriter
from wfrun.concurrency.processes.role import Role
from wfrun.concurrency.processes.start import ChildProcess, start_child
from wfrun.concurrency.processes.wire import Frame, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wfrun.concurrency.processes.importable import FunctionReference

__all__ = ["Crew", "Job", "Owner"]

WINDOW_NS: Final = 10_000_000
LARGEST_WINDOW: Final = 1024
FAREWELL_S: Final = 2.0
"""How long workers that have nothing left to do may take to end by themselves."""


class Job:
    """An item and its fate so far."""

    __slots__ = ("deaths", "item", "item_id")

    def __init__(self, item_id: int, item: Any) -> None:  # noqa: ANN401 - whatever was sent
        self.item_id: Final = item_id
        self.item: Final = item
        self.deaths = 0


class Owner(Protocol):
    """Whom a crew reports to."""

    def job_done(self, job: Job, value: Any, reason: str, failure: Failure | None) -> None:  # noqa: ANN401 - any result
        """Take over a finished job, once."""

    def crew_changed(self) -> None:
        """Look again at what the crew can take, and whether it is lost."""


class _Worker:
    __slots__ = ("assigned", "child", "ready", "writer")

    def __init__(self, child: ChildProcess) -> None:
        self.child: Final = child
        self.writer: Final = LoopWriter(child.writer)
        self.assigned: Final[dict[int, Job]] = {}
        self.ready = False


class Crew:
    """``count`` worker processes, kept at that number until dismissed or lost."""

    def __init__(
        self, function: FunctionReference, count: int, most_deaths: int, most_restarts: int, owner: Owner
    ) -> None:
        self._function: Final = function
        self._count: Final = count
        self._most_deaths: Final = most_deaths
        self._most_restarts: Final = most_restarts
        self._owner: Final = owner
        self._workers: Final[list[_Worker]] = []
        self._restarts_in_a_row = 0
        self._item_ns = 0.0
        self._dismissed = False
        self._changed: asyncio.Future[None] | None = None
        self.unassigned: Final[deque[Job]] = deque()
        """Jobs that no worker has, oldest first."""
        self.window = 1
        self.redone = 0
        self.restarts = 0
        self.lost = ""
        """Why there will be no workers any more; empty while there are."""

    @property
    def running(self) -> int:
        """How many jobs are with workers."""
        return sum(len(worker.assigned) for worker in self._workers)

    @property
    def pids(self) -> tuple[int, ...]:
        """Ids of the processes, the longest-living first."""
        return tuple(worker.child.pid for worker in self._workers)

    async def start(self) -> None:
        """Start all processes at once and wait until each is ready.

        Raises:
            WorkerStartFailed: One refused, or they keep dying.
        """
        for _ in range(self._count):
            self._start_one()
        while not self.lost and not all(worker.ready for worker in self._workers):
            await self._change()
        if self.lost:
            raise WorkerStartFailed(f"no worker of {self._function.module}.{self._function.name} started: {self.lost}")

    def room(self) -> int:
        """Return how many jobs workers can take beyond those they have; a lost crew takes everything, and fails it."""
        if self.lost:
            return LARGEST_WINDOW
        free = sum(max(0, self.window - len(worker.assigned)) for worker in self._workers if worker.ready)
        return max(0, free - len(self.unassigned))

    def take(self, jobs: Iterable[Job]) -> None:
        """Take over jobs and hand them out as far as there is room."""
        self.unassigned.extend(jobs)
        self._hand_out()

    def dismiss(self) -> None:
        """Let the workers go; those that have nothing to do end by themselves, the others now."""
        self._dismissed = True
        for worker in self._workers:
            worker.writer.stop()
            worker.child.end_input()
            if worker.assigned or not worker.ready:
                worker.child.kill()

    async def stop(self) -> None:
        """Dismiss the workers and wait until every process is reaped and everything given back."""
        self.dismiss()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    while self._workers:
                        await self._change()
        finally:
            for worker in list(self._workers):
                self._part_from(worker)

    # Handing out

    def _hand_out(self) -> None:
        if self.lost:
            while self.unassigned:
                self._owner.job_done(self.unassigned.popleft(), None, self.lost, None)
        while self.unassigned:
            free = [worker for worker in self._workers if worker.ready and len(worker.assigned) < self.window]
            if not free:
                return
            worker = min(free, key=lambda each: len(each.assigned))
            # Even shares; and halves of a window, so that one is on its way while the other is worked off.
            share = min(-(-len(self.unassigned) // len(free)), self.window - len(worker.assigned))
            share = min(share, max(1, self.window // 2))
            self._assign(worker, [self.unassigned.popleft() for _ in range(share)])

    def _assign(self, worker: _Worker, jobs: list[Job]) -> None:
        batch = Batch.of([job.item for job in jobs])
        if batch.failures:
            good = [job for index, job in enumerate(jobs) if index not in batch.failures]
            for index, failure in batch.failures.items():
                self._owner.job_done(jobs[index], None, failure.message, failure)
            jobs = good
            batch = Batch.of([job.item for job in jobs])
        worker.assigned.update((job.item_id, job) for job in jobs)
        ids = array("Q", [job.item_id for job in jobs])
        if jobs:
            for start, stop, body in batch.pieces():
                worker.writer.put(Kind.ITEMS, ids[start:stop].tobytes(), body)

    # What workers say

    def _on_readable(self, worker: _Worker) -> None:
        with suppress(BlockingIOError):
            self._hear(worker, worker.child.reader.read())
        if worker.child.reader.ended:
            # It has ended, or closed its pipe: either way it is of no use, and its end is announced or made now.
            worker.ready = False
            worker.child.kill()
            if worker.child.notice is None:
                self._on_end(worker)
            else:
                asyncio.get_running_loop().remove_reader(worker.child.reader.data)
        self._hand_out()
        self._tell()

    def _hear(self, worker: _Worker, frames: list[Frame]) -> None:
        for frame in frames:
            content = worker.child.reader.load(frame)
            if frame.kind is Kind.RESULTS:
                self._on_results(worker, frame.head, Batch.opened(content))
            elif frame.kind is Kind.READY:
                worker.ready = True
            else:
                self._lose(f"{content[0]}: {content[1]}\n{content[2]}")

    def _on_results(self, worker: _Worker, head: bytes, results: Batch) -> None:
        took_ns, *ids = memoryview(head).cast("Q")
        done = self._owner.job_done
        failures = results.failures
        for index, (item_id, value) in enumerate(zip(ids, results.values, strict=True)):
            job = worker.assigned.pop(item_id, None)
            failure = failures.get(index)
            if job is None:
                # It was failed when the crew was lost, and this result was on its way then.
                continue
            if failure is None:
                done(job, value, "", None)
            else:
                done(job, None, f"{failure.error_type}: {failure.message}", failure)
        self._restarts_in_a_row = 0
        item_ns = took_ns / len(ids)
        self._item_ns = max(1.0, item_ns if not self._item_ns else 0.7 * self._item_ns + 0.3 * item_ns)
        self.window = max(1, min(2 * self.window, int(WINDOW_NS / self._item_ns), LARGEST_WINDOW))

    # Deaths

    def _start_one(self) -> None:
        child = start_child(self._function, Role.WORK)
        worker = _Worker(child)
        self._workers.append(worker)
        loop = asyncio.get_running_loop()
        loop.add_reader(child.reader.data, self._on_readable, worker)
        if child.notice is not None:
            loop.add_reader(child.notice, self._on_end, worker)

    def _on_end(self, worker: _Worker) -> None:
        with suppress(BlockingIOError):
            while not worker.child.reader.ended:
                self._hear(worker, worker.child.reader.read())
        at = worker.child.ring.note[0]
        how = self._part_from(worker)
        self._redo(worker, at - 1, how)
        if not self._dismissed and not self.lost:
            self._restarts_in_a_row += 1
            if self._restarts_in_a_row > self._most_restarts:
                self._lose(f"{self._restarts_in_a_row} workers in a row died with no result between, the last by {how}")
            else:
                self._restart()
        self._hand_out()
        self._tell()

    def _redo(self, worker: _Worker, at: int, how: str) -> None:
        guilty = worker.assigned.get(at)
        if guilty is not None:
            guilty.deaths += 1
            if guilty.deaths >= self._most_deaths:
                del worker.assigned[at]
                reason = (
                    f"its worker died by {how} while it was at this item; {guilty.deaths} did, and no more are tried"
                )
                self._owner.job_done(guilty, None, reason, None)
        self.redone += len(worker.assigned)
        self.unassigned.extendleft(reversed(worker.assigned.values()))
        worker.assigned.clear()

    def _restart(self) -> None:
        try:
            self._start_one()
        except OSError as error:
            self._lose(f"the system starts no more processes: {error}")
        else:
            self.restarts += 1

    def _lose(self, reason: str) -> None:
        self.lost = self.lost or reason
        for worker in self._workers:
            self.unassigned.extend(worker.assigned.values())
            worker.assigned.clear()
            worker.child.kill()

    def _part_from(self, worker: _Worker) -> str:
        """Give back everything of a worker, killing it if it lives; return how it ended."""
        self._workers.remove(worker)
        loop = asyncio.get_running_loop()
        loop.remove_reader(worker.child.reader.data)
        if worker.child.notice is not None:
            loop.remove_reader(worker.child.notice)
        worker.writer.stop()
        worker.child.close()
        return worker.child.ending() or "nothing"

    def _change(self) -> asyncio.Future[None]:
        self._changed = asyncio.get_running_loop().create_future()
        return self._changed

    def _tell(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)
        self._owner.crew_changed()
