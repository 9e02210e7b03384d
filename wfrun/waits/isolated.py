"""Proof that a task can never go on, even while timers tick and other tasks run.

Theory of operation. A waiting task goes on when somebody completes what it waits for, or cancels it. Whoever does that
must hold a reference to the task, or to something that leads to it. So take everything that the waiting tasks lead to,
and count for each object the references that come from within, as Python's own garbage collector does. An object with
more references than that is held by something outside: a timer of the loop, a module, a thread, a native library. What
such objects lead to may still be touched. A task that is not among it cannot be touched by anything that runs.

The case's own task is held by the runner, which will only cancel it when its time is up; for it, each holder must be
an object of the runner's, where the walk ends too, or a part of what waits. Whatever cannot be seen through counts as
held from outside: extension types whose native code may keep a pointer that is not counted, and objects with weak
references. One way needs no reference at all, ``asyncio.all_tasks()``; where what still runs calls that by name, there
is no proof either.
"""

from __future__ import annotations

import asyncio
import collections
import contextvars
import functools
import gc
import signal
import sys
import types
import weakref
from typing import TYPE_CHECKING, Any, Final

from wfrun.waits.chain import await_chain

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["stuck_tasks"]

_RUNNER: Final = f"{__name__.partition('.')[0]}.runner."
MOST_OBJECTS: Final = 5_000
"""So many are looked through in some five milliseconds, in which the loop stands still."""
_HEAP_TYPE: Final = 1 << 9
_TRANSPARENT: Final[frozenset[type]] = frozenset(
    (
        *(dict, list, tuple, set, frozenset, collections.deque, collections.OrderedDict, collections.defaultdict),
        *(types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType, types.CellType),
        *(types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType, types.FrameType, types.TracebackType),
        *(types.MappingProxyType, types.SimpleNamespace, functools.partial, staticmethod, classmethod, property, slice),
        *(asyncio.Future, asyncio.Task, contextvars.Context, contextvars.ContextVar, contextvars.Token),
    )
)
_TRANSPARENT_NAMES: Final = frozenset(
    (
        "FutureIter",
        "TaskStepMethWrapper",
        "coroutine_wrapper",
        "async_generator_asend",
        "async_generator_athrow",
        "hamt",
        "hamt_bitmap_node",
        "hamt_array_node",
        "hamt_collision_node",
    )
)
_BOUNDARY: Final = (types.ModuleType, type, types.CodeType, asyncio.AbstractEventLoop)


def stuck_tasks(loop: asyncio.AbstractEventLoop, main: asyncio.Task[Any]) -> list[asyncio.Task[Any]]:
    """Return ``main`` and all other tasks that can never go on either; empty where there is no proof for ``main``.

    Call it in the loop's thread, between two turns of the loop, and while no other thread runs Python code: what a
    thread is busy with cannot be seen.

    Args:
        loop: The loop of ``main``.
        main: The task in question.
    """
    if sys.version_info >= (3, 14):  # its interpreter borrows references without counting them
        return []
    waiting = [task for task in asyncio.all_tasks(loop) if _waits(task)]
    if main not in waiting or _sleeps(main, loop):
        return []
    inside = _Inside(waiting)
    if not inside.complete:
        return []
    touched = inside.touched(main)
    if main in touched or inside.is_held_by_strangers(main) or _others_look_around(loop, touched):
        return []
    return [task for task in waiting if task not in touched]


class _Inside:
    """Everything that waiting tasks lead to, short of modules, classes, the loop and tasks that do not wait."""

    def __init__(self, waiting: list[asyncio.Task[Any]]) -> None:
        self._waiting: Final = waiting
        self._index: Final = {id(task): place for place, task in enumerate(waiting)}
        # Each object is held by this list and by nothing else here, so that its other references can be counted.
        self._objects: Final[list[Any]] = list(waiting)
        self._referents: Final[list[list[int]]] = []
        self._inner: Final[list[int]] = [0] * len(waiting)
        self._globals: Final = {id(vars(module)) for module in list(sys.modules.values())}
        self.complete = self._walk()

    def touched(self, main: asyncio.Task[Any]) -> set[asyncio.Task[Any]]:
        """Return the waiting tasks that something held from outside leads to."""
        # Whoever holds a coroutine that a task drives cannot make it go on; and the caller answers for `main`.
        exempt = {self._index[id(main)]} | {self._index.get(id(task.get_coro()), -1) for task in self._waiting}
        open_places = [
            place for place in range(len(self._objects)) if place not in exempt and self._is_held_from_outside(place)
        ]
        touched = set(open_places)
        while open_places:
            for place in self._referents[open_places.pop()]:
                if place not in touched:
                    touched.add(place)
                    open_places.append(place)
        return {task for place, task in enumerate(self._waiting) if place in touched}

    def is_held_by_strangers(self, main: asyncio.Task[Any]) -> bool:
        """Return whether ``main`` is held by an object that is neither inside nor the runner's."""
        if _has_weak_references(main):
            return True
        own = {id(self._waiting), id(self._objects)}
        return any(
            id(holder) not in own and id(holder) not in self._index and not _of_runner(holder)
            for holder in gc.get_referrers(main)
        )

    def _walk(self) -> bool:
        """Find everything inside, and count the references between; return whether that came to an end."""
        place = 0
        while place < len(self._objects):
            if len(self._objects) > MOST_OBJECTS:
                return False
            referents = gc.get_referents(self._objects[place])
            if len(referents) > MOST_OBJECTS:
                return False
            places = [
                self._place(referent)
                for referent in referents
                if gc.is_tracked(referent) and not self._ends_here(referent)
            ]
            for each in places:
                self._inner[each] += 1
            self._referents.append(places)
            place += 1
        return True

    def _place(self, thing: object) -> int:
        place = self._index.get(id(thing))
        if place is None:
            place = self._index[id(thing)] = len(self._objects)
            self._objects.append(thing)
            self._inner.append(0)
        return place

    def _ends_here(self, thing: object) -> bool:
        if isinstance(thing, asyncio.Task):
            return id(thing) not in self._index
        return isinstance(thing, _BOUNDARY) or id(thing) in self._globals or _is_runners(thing)

    def _is_held_from_outside(self, place: int) -> bool:
        # Beside the inner ones: this list's, and the argument of the call.
        held_here = 2 + (place < len(self._waiting))
        if sys.getrefcount(self._objects[place]) - held_here > self._inner[place]:
            return True
        return _is_opaque(self._objects[place]) or _has_weak_references(self._objects[place])


def _is_runners(thing: object) -> bool:
    return str(type(thing).__module__).startswith(_RUNNER)


def _of_runner(holder: object) -> bool:
    """Return whether ``holder`` is the runner's, a frame that stands, or what an object of the runner's is made of."""
    if isinstance(holder, types.FrameType) or _is_runners(holder):
        return True
    if type(holder) not in {dict, set, list, tuple}:
        return False
    if isinstance(interrupt := signal.getsignal(signal.SIGINT), functools.partial) and holder is interrupt.keywords:
        return True  # asyncio's own, which cancels the task at Ctrl-C
    for owner in gc.get_referrers(holder):
        if _is_runners(owner) or (type(owner) is dict and any(map(_is_runners, gc.get_referrers(owner)))):
            return True
    return False


def _others_look_around(loop: asyncio.AbstractEventLoop, others: Collection[asyncio.Task[Any]]) -> bool:
    """Return whether what still runs asks for all tasks there are: it needs no reference to cancel one."""
    codes: list[types.CodeType | None] = [frame.f_code for task in others for frame in await_chain(task.get_coro())]
    for handle in getattr(loop, "_scheduled", ()):
        function = getattr(handle._callback, "func", handle._callback)
        codes.append(getattr(function, "__code__", None))
    return any(code is not None and "all_tasks" in code.co_names for code in codes)


def _sleeps(task: asyncio.Task[Any], loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether a timer is what ``task`` itself waits for, which needs no looking through anything."""
    waiter = getattr(task, "_fut_waiter", None)
    return any(waiter in (handle._args or ()) for handle in getattr(loop, "_scheduled", ()))


def _waits(task: asyncio.Task[Any]) -> bool:
    future = getattr(task, "_fut_waiter", None)
    return future is not None and not future.done() and not getattr(task, "_must_cancel", True) and not task.done()


def _is_opaque(thing: object) -> bool:
    kind = type(thing)
    if kind in _TRANSPARENT or kind.__name__ in _TRANSPARENT_NAMES or isinstance(thing, BaseException):
        return False
    return not kind.__flags__ & _HEAP_TYPE


def _has_weak_references(thing: object) -> bool:
    if isinstance(thing, (types.FunctionType, types.BuiltinFunctionType, weakref.ref)):
        return False
    # asyncio keeps one to each task and to each asynchronous generator.
    allowed = isinstance(thing, (asyncio.Task, types.AsyncGeneratorType))
    return weakref.getweakrefcount(thing) > allowed
