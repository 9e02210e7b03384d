"""Providing a case with what it names: resolving, setting up, and tearing down in reverse order."""

from __future__ import annotations

import difflib
import inspect
import types
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from wfrun.authoring.declarations import CONTEXT, place_of
from wfrun.authoring.errors import BadDeclaration, FixtureCycle, UnknownFixture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wfrun.authoring.context import Context
    from wfrun.authoring.declarations import FixtureDeclaration
    from wfrun.authoring.suite import Suite

__all__ = ["CaseResources", "check_names"]


def check_names(function: Callable[..., Any], parameters: Mapping[str, Any], suite: Suite) -> None:
    """Make sure that everything ``function`` names can be provided.

    Raises:
        UnknownFixture: A name is neither context, a parameter, nor a fixture; the nearest is named.
        FixtureCycle: Fixtures need one another in a circle.
    """
    _check(function, parameters, suite, ())


def _check(function: Callable[..., Any], parameters: Mapping[str, Any], suite: Suite, path: tuple[str, ...]) -> None:
    for name in _needed(function):
        if name == CONTEXT or name in parameters:
            continue
        if name in path:
            raise FixtureCycle((*path[path.index(name) :], name))
        if name not in suite.fixtures:
            known = [CONTEXT, *parameters, *suite.fixtures]
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(map(repr, known))}"
            raise UnknownFixture(f"{place_of(function)}: {function.__name__}() asks for {name!r}; {hint}")
        _check(suite.fixtures[name].function, parameters, suite, (*path, name))


def _needed(function: Callable[..., Any]) -> list[str]:
    """Names of the arguments that must be given: those without a default."""
    if type(function) is types.FunctionType and not hasattr(function, "__wrapped__"):
        # What follows, for nearly every function and in a fortieth of the time.
        code, optional = function.__code__, function.__kwdefaults__ or {}
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        required = code.co_argcount - len(function.__defaults__ or ())
        return [*names[:required], *(name for name in names[code.co_argcount :] if name not in optional)]
    return [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
    ]


class CaseResources:
    """The fixtures of one pass over one case: made when first named, torn down in reverse order.

    Attributes:
        pending_teardowns: Names of the tear-downs that have not ended well, so that one that never ends can be named.
        on_torn_down: Called with them each time one has ended well.
    """

    def __init__(self, suite: Suite, context: Context, parameters: Mapping[str, Any]) -> None:
        self._suite = suite
        self._made: dict[str, Any] = {CONTEXT: context, **parameters}
        self._stack = AsyncExitStack()
        self.pending_teardowns: list[str] = []
        self.on_torn_down: Callable[[list[str]], None] | None = None

    async def set_up(self) -> None:
        """Run what every case of the suite needs, in the order declared."""
        for teardown in self._suite.teardowns:
            self._push(teardown.__name__, self._call, teardown)
        for fixture in self._suite.fixtures.values():
            if fixture.always:
                await self._make(fixture)

    async def arguments(self, function: Callable[..., Any]) -> dict[str, Any]:
        """Return what ``function`` names, making fixtures as needed."""
        arguments = {}
        for name in _needed(function):
            if name not in self._made:
                await self._make(self._suite.fixtures[name])
            arguments[name] = self._made[name]
        return arguments

    async def tear_down(self) -> None:
        """Undo everything that was set up, the last first; every tear-down runs even when others fail.

        Raises:
            Exception: What the last failing tear-down raised, with the earlier ones as its context.
        """
        await self._stack.aclose()

    async def _call(self, function: Callable[..., Any]) -> Any:  # noqa: ANN401 - whatever the author returns
        result = function(**await self.arguments(function))
        return await result if inspect.isawaitable(result) else result

    async def _make(self, fixture: FixtureDeclaration) -> None:
        function = fixture.function
        if inspect.isasyncgenfunction(function):
            generator = function(**await self.arguments(function))
            self._made[fixture.name] = await anext(generator)
            self._push(fixture.name, _finish_async, generator, function)
        elif inspect.isgeneratorfunction(function):
            iterator = function(**await self.arguments(function))
            self._made[fixture.name] = next(iterator)
            self._push(fixture.name, _finish, iterator, function)
        else:
            self._made[fixture.name] = await self._call(function)

    def _push(self, name: str, teardown: Callable[..., Any], *arguments: Any) -> None:  # noqa: ANN401 - passed through
        self.pending_teardowns.append(name)

        async def run() -> None:
            await teardown(*arguments)
            self.pending_teardowns.remove(name)
            if self.on_torn_down is not None:
                self.on_torn_down(self.pending_teardowns)

        self._stack.push_async_callback(run)


async def _finish_async(generator: Any, function: Callable[..., Any]) -> None:  # noqa: ANN401 - an async generator
    try:
        await anext(generator)
    except StopAsyncIteration:
        return
    await generator.aclose()
    raise BadDeclaration(f"{place_of(function)}: {function.__name__}() yields a second time; a fixture yields once")


async def _finish(generator: Any, function: Callable[..., Any]) -> None:  # noqa: ANN401 - a generator
    try:
        next(generator)
    except StopIteration:
        return
    generator.close()
    raise BadDeclaration(f"{place_of(function)}: {function.__name__}() yields a second time; a fixture yields once")
