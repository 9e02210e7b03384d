"""Every waiting task of a loop, where it waits, for what, and the circle they form where they do."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from wfrun.waits.chain import await_chain, places_of
from wfrun.waits.things import Thing, waited_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

__all__ = ["WaitGraph", "WaitingTask", "wait_graph"]

MOST_TASKS: Final = 20
MOST_IN_SUMMARY: Final = 3
_ONLY_OTHERS: Final = frozenset({"task", "gather", "wait", "TaskGroup"})
"""What is no cause in itself: such a wait ends when other tasks do."""


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """One task that is not done."""

    name: str
    places: tuple[str, ...]
    """Lines of user code that it waits in, outermost first."""
    kind: str
    """What kind of thing it waits for."""
    state: str
    """That thing in a few words."""
    waits_for: tuple[str, ...]
    """Names of the tasks that would have to go on first, where known."""


@dataclass(frozen=True, slots=True)
class WaitGraph:
    """Who waits for what at one moment."""

    tasks: tuple[WaitingTask, ...]
    circle: tuple[str, ...] = ()
    """Names of tasks of which each waits for the next, and the last for the first."""
    left_out: int = 0
    """Tasks that are not listed because there are too many."""

    def text(self) -> str:
        """Return the graph for a person, several lines."""
        lines = []
        for task in self.tasks:
            target = f"  -> {', '.join(task.waits_for)}" if task.waits_for else ""
            lines.append(f"{task.name} waits for {task.state}{target}")
            lines += [f"    {place}" for place in task.places] or ["    a place without Python frames"]
        if self.left_out:
            lines.append(f"… and {self.left_out} more tasks")
        if self.circle:
            lines.append("circle: " + " -> ".join((*self.circle, self.circle[0])))
        return "\n".join(lines)

    def summary(self) -> str:
        """Return one line on what keeps the tasks from going on."""
        if self.circle:
            chosen = [task for name in self.circle for task in self.tasks if task.name == name]
            each_other = "each other" if len(self.circle) > 1 else "itself"
            head = f"{_tasks_wait(len(self.circle))} for {each_other}"
        else:
            chosen = [task for task in self.tasks if task.kind not in _ONLY_OTHERS] or list(self.tasks)
            head = f"{_tasks_wait(len(chosen) + self.left_out)} and nothing is left to wake {_them(len(chosen))}"
        parts = [f"{task.name} for {task.state}" for task in chosen[:MOST_IN_SUMMARY]]
        more = len(chosen) + (0 if self.circle else self.left_out) - len(parts)
        return f"{head}: {'; '.join(parts)}" + (f"; and {more} more" if more > 0 else "")

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def wait_graph(
    loop: asyncio.AbstractEventLoop,
    main: asyncio.Task[Any] | None = None,
    *,
    only: Collection[asyncio.Task[Any]] | None = None,
) -> WaitGraph:
    """Return who waits for what on ``loop`` now.

    Args:
        loop: Its tasks are looked at, not touched; call this in the loop's own thread.
        main: Comes first, and is called ``the case``.
        only: The tasks to tell of, and those they wait for; without it all.
    """
    everyone = sorted(asyncio.all_tasks(loop), key=lambda task: (task is not main, task.get_name()))
    things = {task: _thing(task, everyone) for task in everyone if only is None or task in only}
    for task in [each for thing in things.values() for each in thing.tasks if each not in things]:
        if not task.done():
            things[task] = _thing(task, everyone)
    names = {task: "the case" if task is main else task.get_name() for task in everyone}
    circle = _circle({task: thing.tasks for task, thing in things.items()})
    # What waits in a circle is named however many others there are.
    listed = sorted(things, key=lambda task: (task is not main, task not in circle))[:MOST_TASKS]
    return WaitGraph(
        tuple(_waiting(task, things[task], names, main) for task in listed),
        tuple(names[task] for task in circle),
        len(things) - len(listed),
    )


def _thing(task: asyncio.Task[Any], everyone: Sequence[asyncio.Task[Any]]) -> Thing:
    try:
        return waited_for(task, everyone)
    except Exception as error:  # noqa: BLE001 - what describes itself may be anybody's code, and this one reports trouble
        return Thing("unknown", f"something that cannot be described: {type(error).__name__}")


def _waiting(
    task: asyncio.Task[Any], thing: Thing, names: dict[asyncio.Task[Any], str], main: asyncio.Task[Any] | None
) -> WaitingTask:
    state = thing.state
    if main in thing.tasks and main is not None:
        state = state.replace(main.get_name(), names[main])
    waits_for = tuple(names.get(each, each.get_name()) for each in thing.tasks)
    return WaitingTask(names[task], places_of(await_chain(task.get_coro())), thing.kind, state, waits_for)


def _circle(edges: Mapping[asyncio.Task[Any], Sequence[asyncio.Task[Any]]]) -> list[asyncio.Task[Any]]:
    """Return tasks of which each waits for the next and the last for the first, or nothing."""
    seen: set[asyncio.Task[Any]] = set()
    for start in edges:
        path: list[asyncio.Task[Any]] = []
        ways: list[Iterator[asyncio.Task[Any]]] = [iter((start,))]
        while ways:
            task = next(ways[-1], None)
            if task is None:
                ways.pop()
                del path[-1:]
            elif task in path:
                return path[path.index(task) :]
            elif task not in seen:
                seen.add(task)
                path.append(task)
                ways.append(iter(edges.get(task, ())))
    return []


def _tasks_wait(count: int) -> str:
    return "1 task waits" if count == 1 else f"{count} tasks wait"


def _them(count: int) -> str:
    return "it" if count == 1 else "them"
