"""What a case leaves behind: tasks, threads, processes, descriptors and temporary files.

Theory of operation. Before a case, and after what it shares with others was set up, :meth:`LeakWatch.mark` counts;
after its tear-down :meth:`LeakWatch.left` counts again. Only where a count has grown is it looked what there is, and
what is on its way out is given a moment and a collection of garbage. A false alarm is worse than a leak that is missed,
so whatever may belong to somebody else is not the case's: see :mod:`wfrun.runner.child.belongings`.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wfrun.measure.growth import GrowthWatch
from wfrun.runner.child.belongings import library_pids, names_of_descriptors, of_the_case, places_of_thread
from wfrun.runner.child.counts import DESCRIPTORS, FolderLook, at_most_tasks, counts, lowest_free
from wfrun.runner.child.descendants import children, command_line, end_children, has_children
from wfrun.runner.child.held import Held, held_by
from wfrun.units import format_bytes
from wfrun.waits.chain import await_chain, places_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

__all__ = ["Leak", "LeakWatch", "leak_details", "leak_message"]

GRACE_ROUNDS: Final = 20
ROUND_S: Final = 0.005
OWN_FILES: Final = ("wfrun-", "pymp-")
"""Beginnings of the names of a context's folder, and of the one that multiprocessing keeps to the end."""
MOST_NAMED: Final = 3
"""Leaks that the one-line message names; the details name up to :data:`MOST_LISTED`."""
MOST_LISTED: Final = 50


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that was left."""

    kind: str
    """Of :data:`wfrun.authoring.suite.LEAKS`."""
    name: str
    """``thread 'poller'``, ``process 4711 (sleep 1000)``."""
    thing: object
    """The task or thread, the process id or descriptor's number, or a file's name."""
    places: Sequence[str] = ()
    is_pipe: bool = False
    """Whether it is a descriptor of a pipe: a pool's processes come with pipes that nothing names."""
    """Where it is, innermost last."""


class LeakWatch:
    """Compares what there is after each case with what was there before it.

    Args:
        temporary_folder: The folder of this process alone in which :mod:`tempfile` makes files; empty for none, and
            then files are not looked for.
    """

    def __init__(self, temporary_folder: str = "") -> None:
        self.holders: Callable[[], Iterable[object]] = tuple
        """Returns the values of the fixtures that outlive a case: what can be reached from them is theirs."""
        self.spared: Callable[[asyncio.Task[Any]], bool] = lambda _: False
        """Tells the tasks that such a fixture started, whenever that was."""
        self.adopt: Callable[[set[asyncio.Task[Any]]], None] = lambda _: None
        """Told the tasks that a case started and such a fixture holds."""
        self.repeating = False
        """Whether cases come again and again, so that growing memory would show."""
        self._growth: defaultdict[str, GrowthWatch] = defaultdict(GrowthWatch)
        self._case_id = ""
        self._known_on: asyncio.AbstractEventLoop | None = None
        """The loop on which the case before left nothing, so that everything is as it was when it began."""
        self._folder = temporary_folder
        self._look = FolderLook(temporary_folder)
        self._counts = (0, 0, False)
        self._descriptors: Collection[int] = ()
        self._threads: Collection[threading.Thread] = ()
        self._children: Collection[int] = ()
        self._tasks: Collection[asyncio.Task[Any]] = ()
        self._files: Collection[str] = ()

    def mark(self, case_id: str = "") -> None:
        """Take what there is now for what a case may find: to be called on the loop that it will run on."""
        self._case_id = case_id
        if self.repeating:
            self._growth[case_id].begin()
        known, self._known_on = self._known_on, None
        if known is asyncio.get_running_loop():
            return
        now = counts()
        if now != self._counts or now[2]:
            self._counts = now
            self._descriptors = _descriptors()
            self._threads = threading.enumerate()
            self._children = children() if now[2] else ()
        # Without the one that asks: holding it would keep the case's task alive into the next case.
        self._tasks = () if at_most_tasks(1) else asyncio.all_tasks() - {asyncio.current_task()}
        self._files = self._files_now()

    def forget(self) -> None:
        """Look again at the next mark: something that outlives cases was made or undone."""
        self._known_on = None

    async def left(self, allowed: Collection[str] = (), *, judged: bool = True) -> list[Leak]:
        """Return what was left since :meth:`mark`; end the processes and tasks among it. Some 5 µs for nothing.

        Args:
            allowed: Kinds of leaks that are not looked for.
            judged: Whether leaks count. What a case that failed holds, its traceback may hold; so then nothing is
                named, but processes and tasks are ended all the same.
        """
        grown = self._grown_memory(allowed) if self.repeating else []
        if not self._grown():
            self._known_on = asyncio.get_running_loop()
            return grown if judged else []
        looks: dict[str, Callable[[], list[Leak]]] = {
            "tasks": self._left_tasks,
            "threads": self._left_threads,
            "processes": self._left_processes,
            "descriptors": self._left_descriptors,
            "files": self._left_files,
        }
        looks = {kind: look for kind, look in looks.items() if judged and kind not in allowed}
        leaks = await _settled(looks)
        if leaks or self._strangers() or self._new_tasks():
            held = held_by(self.holders())
            self.adopt(self._new_tasks() & held.tasks)
            pooled = not held.pids.isdisjoint(self._strangers())
            leaks = [leak for leak in leaks if not held.has(leak.kind, leak.thing) and not (pooled and leak.is_pipe)]
            await self._end(held)
        return leaks + (grown if judged else [])

    def _grown(self) -> bool:
        descriptors, threads, parent = counts()
        return (
            descriptors > self._counts[0]
            or threads > self._counts[1]
            or (parent and bool(self._strangers()))
            # One more is what asks here.
            or (not at_most_tasks(1) and len(asyncio.all_tasks()) > len(self._tasks) + 1)
            or (not self._look.unchanged and len(self._files_now()) > len(self._files))
        )

    def _files_now(self) -> list[str]:
        self._look.begin()
        return _files(self._folder)

    def _grown_memory(self, allowed: Collection[str]) -> list[Leak]:
        watch = self._growth[self._case_id]
        growth_bytes = watch.end()
        if growth_bytes is None or "memory" in allowed:
            return []
        name = f"memory, {format_bytes(growth_bytes)} more with each of {watch.repetitions} repetitions"
        return [Leak("memory", name, self._case_id)]

    def _left_tasks(self) -> list[Leak]:
        tasks = sorted(self._new_tasks(), key=lambda task: task.get_name())
        return [
            Leak("tasks", f"task {task.get_name()!r}", task, places_of(await_chain(task.get_coro()))) for task in tasks
        ]

    def _new_tasks(self) -> set[asyncio.Task[Any]]:
        if at_most_tasks(1):
            return set()
        fresh = asyncio.all_tasks() - set(self._tasks) - {asyncio.current_task()}
        return {task for task in fresh if not self.spared(task)}

    def _left_threads(self) -> list[Leak]:
        frames = sys._current_frames()
        known = set(self._threads)
        return [
            Leak("threads", f"thread {thread.name!r}", thread, places_of_thread(frames.get(thread.ident or 0)))
            for thread in threading.enumerate()
            if thread not in known and of_the_case(thread, frames.get(thread.ident or 0))
        ]

    def _left_processes(self) -> list[Leak]:
        return [
            Leak("processes", f"process {pid} ({command_line(pid)})", pid)
            for pid, runs in sorted(self._strangers().items())
            if runs
        ]

    def _strangers(self) -> dict[int, bool]:
        if not has_children():
            return {}
        known = {*self._children, *library_pids()}
        return {pid: runs for pid, runs in children().items() if pid not in known}

    def _left_descriptors(self) -> list[Leak]:
        fresh = set(_descriptors()) - set(self._descriptors)
        names = names_of_descriptors(sorted(fresh))
        return [Leak("descriptors", name, each, is_pipe=name.endswith("(pipe)")) for each, name in names.items()]

    def _left_files(self) -> list[Leak]:
        fresh = sorted(set(self._files_now()) - set(self._files))
        return [Leak("files", f"temporary file {name}", name) for name in fresh]

    async def _end(self, held: Held) -> None:
        if self._strangers():
            end_children({*self._children, *library_pids(), *held.pids})
        tasks = self._new_tasks() - held.tasks
        for task in tasks:
            task.cancel()
        for _ in range(GRACE_ROUNDS):
            if all(task.done() for task in tasks):
                break
            await asyncio.sleep(0)


async def _settled(looks: dict[str, Callable[[], list[Leak]]]) -> list[Leak]:
    """Return what is still there after everything on its way out has gone."""
    leaks = [leak for look in looks.values() for leak in look()]
    for turn in range(GRACE_ROUNDS):
        if not leaks:
            break
        if turn == 1:
            gc.collect()
        elif turn > 1:
            # Real time, as the loop's own may be virtual; what it has to do is done in between.
            time.sleep(ROUND_S)  # noqa: ASYNC251 - nothing else is to run meanwhile but what is leaving
        for _ in range(3):
            await asyncio.sleep(0)
        leaks = [leak for look in looks.values() for leak in look()]
    return leaks


def leak_message(leaks: list[Leak]) -> str:
    """Return one line that names the first of them, with the place where that is known."""
    named = [f"{leak.name} in {_shortly(leak.places[-1])}" if leak.places else leak.name for leak in leaks[:MOST_NAMED]]
    more = f" and {len(leaks) - MOST_NAMED} more" if len(leaks) > MOST_NAMED else ""
    return f"left behind: {', '.join(named)}{more}"


def leak_details(leaks: list[Leak]) -> str:
    """Return all of them with their places, and how to declare them."""
    lines = []
    for leak in leaks[:MOST_LISTED]:
        lines += [leak.name, *(f"    {place}" for place in leak.places)]
    if len(leaks) > MOST_LISTED:
        lines.append(f"… and {len(leaks) - MOST_LISTED} more")
    kinds = tuple(dict.fromkeys(leak.kind for leak in leaks))
    lines.append(f"end it in the case or its tear-down, or declare it with allow_leaks={list(kinds)}")
    return "\n".join(lines)


def _shortly(place: str) -> str:
    """Return ``poll (suite_orders.py:12)``."""
    where, _, function = place.rpartition(" in ")
    return f"{function} ({Path(where).name})"


def _descriptors() -> list[int]:
    folder = DESCRIPTORS if sys.platform == "linux" else "/dev/fd"
    try:
        found = [int(name) for name in os.listdir(folder)]  # noqa: PTH208 - names alone, and quickly
    except OSError:
        return []
    # Reading the folder took a descriptor, the lowest that is free now.
    lowest = lowest_free()
    return [each for each in found if each != lowest]


def _files(folder: str) -> list[str]:
    # Importing it takes some milliseconds, and where nobody has, nobody has told it of another folder.
    module = sys.modules.get("tempfile")
    if not folder or (module is not None and folder != module.gettempdir()):
        return []
    try:
        return [name for name in os.listdir(folder) if not name.startswith(OWN_FILES)]  # noqa: PTH208 - as above
    except OSError:
        return []
