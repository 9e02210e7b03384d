"""What decorated functions are kept as: cases and fixtures, before anything is resolved or run."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from wfrun.authoring.errors import BadDeclaration

if TYPE_CHECKING:
    import types
    from collections.abc import Callable

    from wfrun.authoring.info import Kind, Tier

__all__ = ["CONTEXT", "CaseDeclaration", "FixtureDeclaration", "Scope", "fixture_declaration", "place_of", "plain_code"]

CONTEXT: Final = "context"


class Scope(StrEnum):
    """How long a fixture lives, the shortest first."""

    CASE = "case"
    SUITE = "suite"
    """Until the worker leaves the suite file."""
    SESSION = "session"
    """As long as the worker's process."""
    SHARED = "shared"
    """As long as the session, in a process of its own; the workers get a JSON value of it."""

    @property
    def breadth(self) -> int:
        """Larger for what lives longer; a fixture cannot use one that lives shorter."""
        return list(Scope).index(self)


class CaseDeclaration(NamedTuple):
    """One decorated function, before its parameters are spread out."""

    function: Callable[..., Any]
    title: str
    kinds: tuple[Kind, ...]
    tags: tuple[str, ...]
    parameters: dict[str, tuple[Any, ...]]
    timeout_s: float | None = None
    own_process: bool = False
    own_loop: bool = False
    virtual_time: bool = False
    pinned: bool = True
    tier: Tier | None = None
    exclusive: bool = False
    groups: tuple[tuple[str, int], ...] = ()
    skip: str | None = None
    expected_failure: str | None = None
    allow_leaks: tuple[str, ...] = ()
    """What the case may leave behind, by the words of ``wfrun.authoring.suite.LEAKS``."""

    @property
    def place(self) -> str:
        """File and line of the function, for messages."""
        return place_of(self.function)


@dataclass(frozen=True, slots=True, eq=False)
class FixtureDeclaration:
    """A function whose result, or what it yields, reaches the cases that name it as a parameter."""

    name: str
    function: Callable[..., Any]
    scope: Scope = Scope.CASE
    always: bool = False
    """Whether it runs for every case of the suite, named or not: set-up."""

    @property
    def waits(self) -> bool:
        """Whether it is async, and so belongs to the loop it was made on."""
        return inspect.iscoroutinefunction(self.function) or inspect.isasyncgenfunction(self.function)


def fixture_declaration(function: Callable[..., Any], scope: str, *, always: bool = False) -> FixtureDeclaration:
    """Return ``function`` as a fixture.

    Raises:
        BadDeclaration: It is called ``context``, or there is no such scope.
    """
    name = function.__name__
    if name == CONTEXT:
        raise BadDeclaration(f"{place_of(function)}: 'context' is wfrun's own; call the fixture otherwise")
    try:
        checked = Scope(scope)
    except ValueError:
        raise BadDeclaration(
            f"{place_of(function)}: {scope!r} is no scope of a fixture; scopes are {', '.join(Scope)}"
        ) from None
    return FixtureDeclaration(name, function, checked, always)


def place_of(function: Callable[..., Any]) -> str:
    """Return ``file:line`` of a function."""
    code = plain_code(function)
    return f"{code.co_filename}:{code.co_firstlineno}"


def plain_code(function: Callable[..., Any]) -> types.CodeType:
    """Return the code of a function, or of that which decorators wrapped."""
    # Looked for first, as unwrap() takes its time to find nothing.
    plain = inspect.unwrap(function) if hasattr(function, "__wrapped__") else function
    code: types.CodeType = plain.__code__
    return code
