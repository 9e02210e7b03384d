"""Where fixtures stand, and which of them a name means: the nearest, from where it is asked for outward.

A suite's own fixtures come first, then those of ``fixtures.py`` in its folder, then in each folder upward as far as the
suites root. A fixture looks from its own place: what a suite declares never changes what one further outward gets. One
that asks for its own name gets the next one outward of that name, which it can dress.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeVar, overload

from wfrun.authoring.declarations import CONTEXT, FixtureDeclaration, Scope, fixture_declaration, place_of
from wfrun.authoring.errors import FixtureCycle, NarrowerFixture, UnknownFixture
from wfrun.authoring.load import folder_of, load_suite_module

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "FIXTURES_FILE",
    "FixtureLevel",
    "FoundFixture",
    "fixture",
    "folder_levels",
    "needed_fixtures",
    "needed_names",
]

Function = TypeVar("Function", bound=Callable[..., Any])

FIXTURES_FILE: Final = "fixtures.py"
_MARK: Final = "__wfrun_fixture__"


@overload
def fixture(function: Function, /) -> Function: ...


@overload
def fixture(*, scope: str = Scope.CASE) -> Callable[[Function], Function]: ...


def fixture(
    function: Function | None = None, /, *, scope: str = Scope.CASE
) -> Function | Callable[[Function], Function]:
    """Declare a fixture in ``fixtures.py`` for every suite in its folder and below.

    To be written as ``@fixture`` or ``@fixture(scope=…)``. Arguments and forms are those of
    :meth:`wfrun.Suite.fixture`. Nearer fixtures of the same name come first.

    Raises:
        BadDeclaration: It is called ``context``, or there is no such scope.
    """

    def declare(function: Function) -> Function:
        setattr(function, _MARK, fixture_declaration(function, scope))
        return function

    return declare if function is None else declare(function)


@dataclass(frozen=True, slots=True, eq=False)
class FixtureLevel:
    """The fixtures of one place, and the level outside of it."""

    fixtures: Mapping[str, FixtureDeclaration]
    outer: FixtureLevel | None = None

    def find(self, name: str) -> FoundFixture | None:
        """Return the nearest fixture of that name from here outward."""
        level: FixtureLevel | None = self
        while level is not None:
            if name in level.fixtures:
                return FoundFixture(level.fixtures[name], level)
            level = level.outer
        return None

    def names(self) -> Iterator[str]:
        """Every name that can be asked for here, the nearest first."""
        level: FixtureLevel | None = self
        while level is not None:
            yield from level.fixtures
            level = level.outer


class FoundFixture(NamedTuple):
    """A fixture, and the level that it stands in and looks from."""

    declaration: FixtureDeclaration
    level: FixtureLevel

    def find(self, name: str) -> FoundFixture | None:
        """Return what this fixture means by ``name``."""
        own = name == self.declaration.name
        level = self.level.outer if own else self.level
        return self if own and level is None else None if level is None else level.find(name)

    @property
    def key(self) -> str:
        """``file::name``: the same in every process."""
        return f"{inspect.unwrap(self.declaration.function).__code__.co_filename}::{self.declaration.name}"


def folder_levels(file: Path, root: Path) -> FixtureLevel | None:
    """Return the levels of ``fixtures.py`` from the folder of a suite file up to ``root``; ``None`` where none is.

    Raises:
        Exception: Whatever such a file raises while it is imported.
    """
    return _level_of(folder_of(file), root)


@cache
def _level_of(folder: Path, root: Path) -> FixtureLevel | None:
    # From outside in, so that the nearest folder's modules are found first.
    outer = None if folder == root else _level_of(folder.parent, root)
    source = folder / FIXTURES_FILE
    if not source.is_file():
        return outer
    marked = (getattr(value, _MARK, None) for value in vars(load_suite_module(source)).values())
    found = [value for value in marked if isinstance(value, FixtureDeclaration)]
    return FixtureLevel({declaration.name: declaration for declaration in found}, outer)


def needed_fixtures(
    function: Callable[..., Any], parameters: Mapping[str, Any], level: FixtureLevel
) -> dict[FixtureDeclaration, FoundFixture]:
    """Return every fixture that ``function`` needs, those first that others need, having checked that all can be had.

    Raises:
        UnknownFixture: A name is neither context, a parameter, nor a fixture; the nearest is named.
        FixtureCycle: Fixtures need one another in a circle.
        NarrowerFixture: A fixture asks for something that does not live as long as itself.
    """
    needed: dict[FixtureDeclaration, FoundFixture] = {}
    _collect(function, parameters, level, (), needed)
    return needed


def _collect(
    function: Callable[..., Any],
    parameters: Mapping[str, Any],
    level: FixtureLevel,
    path: tuple[FoundFixture, ...],
    needed: dict[FixtureDeclaration, FoundFixture],
) -> None:
    asker = path[-1] if path else None
    scope = Scope.CASE if asker is None else asker.declaration.scope
    for name in needed_names(function):
        if name == CONTEXT or (name in parameters and scope is Scope.CASE):
            continue
        found = level.find(name) if asker is None else asker.find(name)
        if found is None:
            _refuse(function, name, scope, parameters, level)
        declarations = [each.declaration for each in path]
        if found.declaration in declarations:
            circle = declarations[declarations.index(found.declaration) :]
            raise FixtureCycle((*(each.name for each in circle), name))
        if found.declaration.scope.breadth < scope.breadth:
            raise NarrowerFixture(place_of(function), scope, function.__name__, found.declaration.scope, name)
        if found.declaration not in needed:
            _collect(found.declaration.function, parameters, found.level, (*path, found), needed)
            needed[found.declaration] = found


def _refuse(
    function: Callable[..., Any], name: str, scope: Scope, parameters: Mapping[str, Any], level: FixtureLevel
) -> NoReturn:
    if name in parameters:
        raise NarrowerFixture(place_of(function), scope, function.__name__, None, name)
    known = list(dict.fromkeys([CONTEXT, *parameters, *level.names()]))
    import difflib  # noqa: PLC0415 - only to explain a refusal

    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(map(repr, known))}"
    raise UnknownFixture(f"{place_of(function)}: {function.__name__}() asks for {name!r}; {hint}")


@cache
def needed_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the arguments that must be given: those without a default."""
    if type(function) is types.FunctionType and not hasattr(function, "__wrapped__"):
        # What follows, for nearly every function and in a fortieth of the time.
        code, optional = function.__code__, function.__kwdefaults__ or {}
        required = code.co_argcount - len(function.__defaults__ or ())
        named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        return (*code.co_varnames[:required], *[name for name in named if name not in optional])
    return tuple(
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
    )
