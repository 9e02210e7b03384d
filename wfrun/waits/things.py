"""What a task waits for, and what is known of that thing: its kind, its state, and the tasks that could bring it on.

The call that user code made last tells best: ``queue.get()`` rather than the future inside it. So the frames are read
from the innermost outward as long as they are asyncio's or wfrun's, and the outermost of them that is known counts.
"""

from __future__ import annotations

import asyncio
import gc
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wfrun.waits.chain import await_chain, in_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["SLEEP", "Thing", "waited_for"]

SLEEP: Final = "timer"
_TASKS_FILE: Final = asyncio.tasks.__file__
_SUBPROCESS: Final = "asyncio.subprocess"


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that a task waits for."""

    kind: str
    """Such as ``Lock``, ``Queue``, ``channel``, ``task``, ``timer``, ``Future``."""
    state: str
    """The thing itself in a few words, its kind included: ``Queue empty, 0/10, 1 waits to get``."""
    tasks: tuple[asyncio.Task[Any], ...] = ()
    """The tasks whose progress would end the wait, where that is known."""


def waited_for(task: asyncio.Task[Any], tasks: Sequence[asyncio.Task[Any]]) -> Thing:
    """Return what ``task`` waits for; ``tasks`` are searched for who holds it."""
    thing: Thing | None = None
    owner = ""
    for frame in reversed(await_chain(task.get_coro())):
        if not in_library(frame):
            break
        owner = _owner_of(frame) or owner
        outer = _of_call(frame, tasks, task)
        # A notified condition waits for its lock.
        if outer is not None and not (thing is not None and thing.kind == "Lock" and outer.kind == "Condition"):
            thing = outer
    if thing is not None:
        return thing
    of_future = _of_future(getattr(task, "_fut_waiter", None))
    return Thing(owner, owner) if owner and of_future.kind == "Future" else of_future


def _owner_of(frame: types.FrameType) -> str:
    """Return the class of wfrun's whose method this is, for those that have no better description."""
    owner = type(frame.f_locals.get("self"))
    return owner.__name__ if owner.__module__.startswith("wfrun.concurrency") else ""


def _of_call(frame: types.FrameType, tasks: Sequence[asyncio.Task[Any]], waiting: asyncio.Task[Any]) -> Thing | None:
    values = frame.f_locals
    if frame.f_code.co_filename == _TASKS_FILE:
        return _of_function(frame.f_code.co_name, values)
    if "arms" in values and frame.f_code.co_name == "_wait_for_one":
        channels = "; ".join(_channel(arm.channel).state for arm in values["arms"])
        return Thing("select", f"select of {len(values['arms'])} arms: {channels}")
    owner = values.get("self")
    if isinstance(owner, (asyncio.Lock, asyncio.Semaphore)):
        return _held(owner, tasks, waiting)
    for kind, describe in _KINDS.items():
        if isinstance(owner, kind):
            return describe(owner)
    bases = {f"{base.__module__}.{base.__qualname__}" for base in type(owner).__mro__}
    if "wfrun.concurrency.lines.WaitingLines" in bases:
        return _channel(owner)
    if f"{_SUBPROCESS}.Process" in bases:
        return Thing("process", f"end of process {getattr(owner, 'pid', '?')}")
    if "wfrun.clock.ManualClock" in bases:
        return Thing("ManualClock", f"ManualClock at {owner.monotonic():g} s, {_waits(owner.sleepers, 'sleep')}")  # type: ignore[union-attr]  # by its name
    return None


def _of_function(name: str, values: Mapping[str, Any]) -> Thing | None:
    match name:
        case "sleep":
            return Thing(SLEEP, f"timer of {values.get('delay', 0):g} s")
        case "_wait":
            return _of_tasks("wait", values.get("fs", ()))
        case "wait_for" if isinstance(values.get("fut"), asyncio.Future):
            return _of_future(values["fut"])
    return None


def _of_future(future: Any) -> Thing:  # noqa: ANN401 - a future of any kind, or nothing
    if isinstance(future, asyncio.Task):
        return Thing("task", f"task {future.get_name()}", (future,))
    if (children := getattr(future, "_children", None)) is not None:
        return _of_tasks("gather", children)
    if future is None:
        return Thing("turn", "its next turn")
    for callback, *_ in getattr(future, "_callbacks", None) or ():
        name = getattr(callback, "__qualname__", "")
        if name.startswith("_chain_future."):
            return Thing("executor", "work of another thread or process")
        if name.startswith("shield.") and (inner := _closed_over(callback, "inner")) is not None:
            return _of_future(inner)
    return Thing("Future", "Future, pending")


def _of_tasks(kind: str, futures: Iterable[Any]) -> Thing:
    pending = [each for each in futures if not each.done()]
    tasks = tuple(sorted((each for each in pending if isinstance(each, asyncio.Task)), key=asyncio.Task.get_name))
    return Thing(kind, f"{kind} of {_count(len(pending), 'task')}", tasks)


def _closed_over(function: Any, name: str) -> Any:  # noqa: ANN401 - whatever the variable holds
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False))
    return cells[name].cell_contents if name in cells else None


# Things by their class


def _held(
    lock: asyncio.Lock | asyncio.Semaphore, tasks: Sequence[asyncio.Task[Any]], waiting: asyncio.Task[Any]
) -> Thing:
    """A lock does not know its owner, but a task inside its ``async with`` keeps the way out of it at hand."""
    holders = []
    for task in tasks:
        exits = sum(_is_exit(each, lock) for frame in _suspended(task) for each in gc.get_referents(frame))
        # Whoever waits at the door of an `async with` has its way out at hand too.
        if exits > (task is waiting or _waits_at(task, lock)):
            holders.append(task)
    names = ", ".join(task.get_name() for task in holders)
    kind = "Lock" if isinstance(lock, asyncio.Lock) else "Semaphore"
    count = "" if kind == "Lock" else f", value {getattr(lock, '_value', '?')}"
    return Thing(kind, f"{kind}{count}{', held by ' + names if names else ', held'}", tuple(holders))


def _suspended(task: asyncio.Task[Any]) -> list[Any]:
    inside = []
    awaitable: Any = task.get_coro()
    while awaitable is not None:
        inside.append(awaitable)
        awaitable = getattr(awaitable, "cr_await", None)
    return inside


def _is_exit(value: object, lock: object) -> bool:
    if not isinstance(value, types.MethodType) or value.__name__ != "__aexit__":
        return False
    # A condition is left by its own way, and has the lock inside.
    return value.__self__ is lock or getattr(value.__self__, "_lock", None) is lock


def _waits_at(task: asyncio.Task[Any], lock: object) -> bool:
    frames = await_chain(task.get_coro())
    return any(
        frame.f_code.co_name in {"acquire", "__aenter__"} and frame.f_locals.get("self") is lock for frame in frames
    )


def _event(event: asyncio.Event) -> Thing:
    return Thing("Event", f"Event, {'set' if event.is_set() else 'not set'}")


def _condition(condition: asyncio.Condition) -> Thing:
    return Thing("Condition", f"Condition, not notified, {_waits(_waiters(condition))}")


def _barrier(barrier: asyncio.Barrier) -> Thing:
    return Thing("Barrier", f"Barrier, {barrier.n_waiting} of {barrier.parties} are there")


def _queue(queue: asyncio.Queue[Any]) -> Thing:
    kind = type(queue).__name__
    fill = f"{queue.qsize()}/{queue.maxsize or 'unbounded'}"
    state = "empty" if queue.empty() else "full" if queue.full() else "open"
    getters, putters = len(getattr(queue, "_getters", ())), len(getattr(queue, "_putters", ()))
    lines = [_waits(getters, "get")] * bool(getters) + [_waits(putters, "put")] * bool(putters)
    unfinished = getattr(queue, "_unfinished_tasks", 0)
    if not lines and unfinished:
        lines = [f"task_done() is missing for {unfinished}"]
    return Thing("Queue", ", ".join([f"{kind} {state}, {fill}", *lines]))


def _group(group: asyncio.TaskGroup) -> Thing:
    return _of_tasks("TaskGroup", getattr(group, "_tasks", ()))


def _reader(reader: asyncio.StreamReader) -> Thing:
    transport = getattr(reader, "_transport", None)
    peer = transport.get_extra_info("peername") if transport is not None else None
    return Thing("StreamReader", "data of a stream" + (f" from {peer}" if peer else ""))


def _channel(channel: Any) -> Thing:  # noqa: ANN401 - wfrun's own, which this floor does not import
    facts = channel.statistics()
    senders, receivers = len(facts.waiting_senders), len(facts.waiting_receivers)
    lines = f"{_waits(senders, 'send') if senders else 'no sender waits'}, "
    lines += _waits(receivers, "receive") if receivers else "no receiver waits"
    return Thing("channel", f"{repr(channel).strip('<>')}, {lines}")


_KINDS: Final[Mapping[type, Callable[[Any], Thing]]] = {
    asyncio.Event: _event,
    asyncio.Condition: _condition,
    asyncio.Barrier: _barrier,
    asyncio.Queue: _queue,
    asyncio.TaskGroup: _group,
    asyncio.StreamReader: _reader,
}


def _waiters(thing: object) -> int:
    return sum(not each.done() for each in getattr(thing, "_waiters", ()))


def _waits(count: int, verb: str = "") -> str:
    return f"{count} {'waits' if count == 1 else 'wait'}{' to ' + verb if verb else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
