"""Fixtures that outlive a case: made when first asked for, kept for the suite file or the process, undone once.

Theory of operation: an async fixture lives in a task of its own from its set-up to its tear-down, so that task groups,
cancel scopes and context variables in it are left by the task that entered them; the cases that ask for it only wait
for its value. A plain one runs in a copy of the context that the process started with. What such a fixture starts on
the loop is known by a context variable that tasks inherit, and is not taken for what a case left behind.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import weakref
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from wfrun.authoring.context import Context
from wfrun.authoring.declarations import CONTEXT, Scope, place_of
from wfrun.authoring.errors import BadDeclaration, BrokenFixture, SkipCase
from wfrun.authoring.levels import needed_names

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping

    from wfrun.authoring.levels import FoundFixture

__all__ = [
    "WideFixture",
    "WideFixtures",
    "describe_failure",
    "finish_async",
    "finish_plain",
    "start_async",
    "start_plain",
]

T = TypeVar("T")

_OWNER: Final[ContextVar[str | None]] = ContextVar("wfrun_fixture", default=None)


@dataclass(slots=True, eq=False)
class WideFixture:
    """One fixture that was made, or could not be."""

    found: FoundFixture
    context: Context
    surroundings: contextvars.Context
    value: Any = None
    error: BaseException | None = None
    generator: Any = None
    """What is left to run of it: its tear-down."""
    task: asyncio.Task[None] | None = None
    """Where it lives, if it is async."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """What cases call it."""
        return self.found.declaration.name

    @property
    def scope(self) -> Scope:
        """How long it lives."""
        return self.found.declaration.scope


class WideFixtures:
    """The fixtures of one process that outlive a case.

    Attributes:
        shared: Values of fixtures of scope shared, which other processes made, by key.
        broken: Why fixtures cannot be made, by key: what an earlier process found out.
        on_making: Told the fixture when its set-up begins, and ``None`` when it has ended.
        on_change: Told after a fixture was made, or undone, or found to be broken.
    """

    def __init__(self, *, seed: int = 0, targets: Mapping[str, str] | None = None) -> None:
        self.seed = seed
        self.targets: Mapping[str, str] = targets or {}
        self.shared: Mapping[str, Any] = {}
        self.broken: Mapping[str, str] = {}
        self.on_making: Callable[[WideFixture | None], None] = lambda _: None
        self.on_change: Callable[[], None] = lambda: None
        self._pristine: Final = copy_context()
        self._fixtures: dict[object, WideFixture] = {}
        self._tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()

    def held(self, scope: Scope = Scope.SESSION) -> list[WideFixture]:
        """Return the fixtures with a tear-down still to run that live no longer than ``scope``, the last made first."""
        return [
            fixture
            for fixture in reversed(self._fixtures.values())
            if fixture.generator is not None and fixture.scope.breadth <= scope.breadth
        ]

    @property
    def on_loop(self) -> bool:
        """Whether a fixture lives on the event loop, which cannot be closed then."""
        return any(fixture.found.declaration.waits and fixture.error is None for fixture in self._fixtures.values())

    @property
    def failed(self) -> list[WideFixture]:
        """The fixtures that could not be made."""
        return [fixture for fixture in self._fixtures.values() if fixture.error is not None]

    def values(self) -> list[Any]:
        """Return what was made so far."""
        return [fixture.value for fixture in self._fixtures.values()]

    def owns(self, task: asyncio.Task[Any]) -> bool:
        """Return whether a fixture started ``task``, and no case."""
        return task in self._tasks

    def adopt(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Take tasks for fixtures' own from now on: ones that a case made them start, as it does a client's reader."""
        self._tasks.update(tasks)

    async def provide(self, found: FoundFixture, asker: str) -> Any:  # noqa: ANN401 - whatever the author provides
        """Return the fixture's value, making it where that has not been tried yet.

        Args:
            found: The fixture.
            asker: The id of the case that needs it, for messages.

        Raises:
            BrokenFixture: It could not be made before.
            SkipCase: It said before that it does not apply here.
            BaseException: Whatever its set-up raises now.
        """
        if found.declaration.scope is Scope.SHARED:
            return self.shared[found.key]
        known = self._fixtures.get(found.declaration)
        if known is None and found.key in self.broken:
            raise BrokenFixture(self.broken[found.key])
        if known is None:
            known = await self._make(found, asker)
        elif isinstance(known.error, SkipCase):
            raise SkipCase(str(known.error))
        elif known.error is not None:
            raise BrokenFixture(describe_failure(known))
        return known.value

    async def make_shared(self, found: FoundFixture) -> Any:  # noqa: ANN401 - as above
        """Make a fixture of scope shared in this process, which is there for it alone, and return its value."""
        return (await self._make(found, f"the session: {found.declaration.name}")).value

    async def tear_down(self, fixture: WideFixture) -> None:
        """Run the rest of ``fixture``.

        Raises:
            BadDeclaration: It yields a second time.
            BaseException: Whatever its tear-down raises.
        """
        if fixture.task is not None:
            fixture.over.set()
            await fixture.task
        else:
            fixture.surroundings.run(finish_plain, fixture.generator, fixture.found.declaration.function)

    def forget(self, scope: Scope) -> None:
        """Let go of every fixture that lives no longer than ``scope``: the next that asks for one has it made anew."""
        for declaration, fixture in list(self._fixtures.items()):
            if fixture.scope.breadth <= scope.breadth:
                fixture.context.close()
                del self._fixtures[declaration]

    async def _make(self, found: FoundFixture, asker: str) -> WideFixture:
        arguments = {}
        context = Context(asker, seed=self._seed_of(found), targets=self.targets)
        for name in needed_names(found.declaration.function):
            wanted = None if name == CONTEXT else found.find(name)
            arguments[name] = context if wanted is None else await self.provide(wanted, asker)
        fixture = WideFixture(found, context, self._pristine.copy())
        fixture.surroundings.run(_OWNER.set, found.declaration.name)
        self._fixtures[found.declaration] = fixture
        self._mark_tasks()
        self.on_making(fixture)
        try:
            if found.declaration.waits:
                await self._start(fixture, arguments)
            else:
                start = fixture.surroundings.run(start_plain, found.declaration.function, arguments)
                fixture.value, fixture.generator = start
        except BaseException as error:
            fixture.error = error
            fixture.generator = None
            raise
        finally:
            self.on_making(None)
            self.on_change()
        return fixture

    async def _start(self, fixture: WideFixture, arguments: Mapping[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        living = _live(fixture, arguments, ready)
        fixture.task = loop.create_task(living, name=f"fixture {fixture.name}", context=fixture.surroundings)
        self._tasks.add(fixture.task)
        try:
            await asyncio.wait((fixture.task, ready), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            fixture.task.cancel()
            await asyncio.wait((fixture.task,))
            raise
        if not ready.done():
            # It ended, or failed, before it had a value.
            fixture.task.result()

    def _mark_tasks(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.get_task_factory() is None:
            loop.set_task_factory(self._create_task)

    def _create_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        context: contextvars.Context | None = None,
        **options: Any,  # noqa: ANN401 - what later versions of Python hand to a task
    ) -> asyncio.Task[T]:
        task: asyncio.Task[T] = asyncio.Task(coroutine, loop=loop, context=context, **options)
        owner = _OWNER.get() if context is None else context.get(_OWNER)
        if owner is not None:
            self._tasks.add(task)
        return task

    def _seed_of(self, found: FoundFixture) -> int:
        digest = hashlib.sha256(f"{self.seed}/{found.declaration.name}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1


def describe_failure(fixture: WideFixture) -> str:
    """Return what is told to the later cases that need a fixture which could not be made."""
    error = fixture.error
    stopped = isinstance(error, asyncio.CancelledError) or not isinstance(error, Exception)
    first = str(error).strip().partition("\n")[0]
    how = "its set-up was stopped" if stopped else f"{type(error).__name__}{f': {first}' if first else ''}"
    return f"the {fixture.scope} fixture {fixture.name!r} could not be set up for {fixture.context.case_id}: {how}"


async def start_async(function: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the value of an async fixture, and its generator where it has a tear-down."""
    if not inspect.isasyncgenfunction(function):
        return await function(**arguments), None
    generator = function(**arguments)
    try:
        return await anext(generator), generator
    except StopAsyncIteration:
        raise _without_yield(function) from None


def start_plain(function: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the value of a plain fixture, and its generator where it has a tear-down."""
    if not inspect.isgeneratorfunction(function):
        return function(**arguments), None
    generator = function(**arguments)
    try:
        return next(generator), generator
    except StopIteration:
        raise _without_yield(function) from None


async def finish_async(generator: Any, function: Callable[..., Any]) -> None:  # noqa: ANN401 - an async generator
    """Run what follows the yield of an async fixture."""
    try:
        await anext(generator)
    except StopAsyncIteration:
        return
    await generator.aclose()
    raise _second_yield(function)


def finish_plain(generator: Any, function: Callable[..., Any]) -> None:  # noqa: ANN401 - a generator
    """Run what follows the yield of a plain fixture."""
    try:
        next(generator)
    except StopIteration:
        return
    generator.close()
    raise _second_yield(function)


async def _live(fixture: WideFixture, arguments: Mapping[str, Any], ready: asyncio.Future[None]) -> None:
    function = fixture.found.declaration.function
    fixture.value, fixture.generator = await start_async(function, arguments)
    ready.set_result(None)
    if fixture.generator is not None:
        await fixture.over.wait()
        await finish_async(fixture.generator, function)


def _second_yield(function: Callable[..., Any]) -> BadDeclaration:
    return BadDeclaration(f"{place_of(function)}: {function.__name__}() yields a second time; a fixture yields once")


def _without_yield(function: Callable[..., Any]) -> BadDeclaration:
    return BadDeclaration(f"{place_of(function)}: {function.__name__}() ended without a yield; a fixture yields once")
