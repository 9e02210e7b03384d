"""Providing one pass over a case with what it names: set up when needed, torn down in reverse order."""

from __future__ import annotations

import inspect
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from wfrun.authoring.declarations import CONTEXT, Scope
from wfrun.authoring.levels import FixtureLevel, needed_names
from wfrun.authoring.wide import WideFixtures, finish_async, finish_plain, start_async, start_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from wfrun.authoring.context import Context
    from wfrun.authoring.levels import FoundFixture
    from wfrun.authoring.suite import Suite

__all__ = ["CaseResources", "given_arguments"]


class CaseResources:
    """What one pass over a case is given: its context, its parameters, and fixtures, made when first named.

    Attributes:
        pending_teardowns: Names of the tear-downs that have not ended well, so that one that never ends can be named.
        on_torn_down: Called with them each time one has ended well.
    """

    def __init__(
        self,
        suite: Suite,
        context: Context,
        parameters: Mapping[str, Any],
        *,
        level: FixtureLevel | None = None,
        wide: WideFixtures | None = None,
    ) -> None:
        self._suite = suite
        self._level = level or FixtureLevel(suite.fixtures)
        self._wide = wide or WideFixtures()
        self._case_id = context.case_id
        self._given: dict[str, Any] = {CONTEXT: context, **parameters}
        self._made: dict[object, Any] = {}
        self._stack: AsyncExitStack | None = None
        self.pending_teardowns: list[str] = []
        self.on_torn_down: Callable[[list[str]], None] | None = None

    async def set_up_wide(self, fixtures: Iterable[FoundFixture]) -> None:
        """Make those of ``fixtures`` that outlive the case, so that what they leave is told from what the case does."""
        for found in fixtures:
            if found.declaration.scope is not Scope.CASE:
                await self._wide.provide(found, self._case_id)

    async def set_up(self) -> None:
        """Run what every case of the suite needs, in the order declared."""
        for teardown in self._suite.teardowns:
            self._push(teardown.__name__, self._call, teardown)
        for declaration in self._suite.fixtures.values():
            if declaration.always:
                await self._provide(declaration.name, None)

    async def arguments(self, function: Callable[..., Any]) -> dict[str, Any]:
        """Return what ``function`` names, making fixtures as needed."""
        given = self._given
        return {
            name: given[name] if name in given else await self._provide(name, None) for name in needed_names(function)
        }

    async def tear_down(self) -> None:
        """Undo everything that was set up, the last first; every tear-down runs even when others fail.

        Raises:
            Exception: What the last failing tear-down raised, with the earlier ones as its context.
        """
        if self._stack is not None:
            await self._stack.aclose()

    async def _call(self, function: Callable[..., Any]) -> None:
        result = function(**await self.arguments(function))
        if inspect.isawaitable(result):
            await result

    async def _provide(self, name: str, asker: FoundFixture | None) -> Any:  # noqa: ANN401 - whatever it is
        if name in self._given:
            return self._given[name]
        found = self._level.find(name) if asker is None else asker.find(name)
        if found is None:
            raise KeyError(name)
        if found.declaration.scope is not Scope.CASE:
            return await self._wide.provide(found, self._case_id)
        if found.declaration not in self._made:
            self._made[found.declaration] = await self._make(found)
        return self._made[found.declaration]

    async def _make(self, found: FoundFixture) -> Any:  # noqa: ANN401 - as above
        function = found.declaration.function
        arguments = {name: await self._provide(name, found) for name in needed_names(function)}
        if found.declaration.waits:
            value, generator = await start_async(function, arguments)
            finish: Callable[..., Any] = finish_async
        else:
            value, generator = start_plain(function, arguments)
            finish = _finish_plain
        if generator is not None:
            self._push(found.declaration.name, finish, generator, function)
        elif inspect.isawaitable(value):
            value = await value
        return value

    def _push(self, name: str, teardown: Callable[..., Any], *arguments: Any) -> None:  # noqa: ANN401 - passed through
        self.pending_teardowns.append(name)

        async def run() -> None:
            await teardown(*arguments)
            self.pending_teardowns.remove(name)
            if self.on_torn_down is not None:
                self.on_torn_down(self.pending_teardowns)

        if self._stack is None:
            self._stack = AsyncExitStack()
        self._stack.push_async_callback(run)


def given_arguments(function: Callable[..., Any], context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``function`` names, where there is nothing but its context and parameters to be named."""
    return {name: parameters.get(name, context) for name in needed_names(function)}


async def _finish_plain(generator: Any, function: Callable[..., Any]) -> None:  # noqa: ANN401 - a generator
    finish_plain(generator, function)
