"""What a suite file is made of: a suite, its cases, what they need, and what happens before and after them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from wfrun.authoring.errors import BadDeclaration
from wfrun.authoring.info import Kind

__all__ = ["LEAKS", "CaseDeclaration", "FixtureDeclaration", "Suite"]

Function = TypeVar("Function", bound=Callable[..., Any])

CONTEXT: Final = "context"
LEAKS: Final = ("tasks", "threads", "processes", "descriptors", "files", "memory")
"""What a case may leave behind, by the words of ``allow_leaks``."""


@dataclass(frozen=True, slots=True)
class CaseDeclaration:
    """One decorated function, before its parameters are spread out."""

    function: Callable[..., Any]
    title: str
    kinds: tuple[Kind, ...]
    tags: tuple[str, ...]
    parameters: dict[str, tuple[Any, ...]]
    timeout_s: float | None
    own_process: bool
    virtual_time: bool
    pinned: bool
    allow_leaks: tuple[str, ...] = ()
    """Of :data:`LEAKS`: what the case may leave behind."""

    @property
    def place(self) -> str:
        """File and line of the function, for messages."""
        return place_of(self.function)


@dataclass(frozen=True, slots=True)
class FixtureDeclaration:
    """A function whose result, or what it yields, reaches the cases that name it as a parameter."""

    name: str
    function: Callable[..., Any]
    always: bool = False
    """Whether it runs for every case of the suite, named or not: set-up."""


@dataclass(slots=True, eq=False)
class Suite:
    """A titled set of cases in one ``suite_*.py`` file.

    >>> suite = Suite("Orders", tags=["shop"])
    >>> @suite.case("Every order is shipped once", kinds=["e2e"])
    ... async def shipped_once(context): ...

    Args:
        title: What people read, and select with ``--pattern``.
        tags: Words to select with ``--tag``; every case has them.
    """

    title: str
    tags: Sequence[str] = ()
    cases: list[CaseDeclaration] = field(default_factory=list, repr=False)
    fixtures: dict[str, FixtureDeclaration] = field(default_factory=dict, repr=False)
    teardowns: list[Callable[..., Any]] = field(default_factory=list, repr=False)

    def case(
        self,
        title: str | None = None,
        *,
        kinds: Iterable[str] = (Kind.E2E,),
        tags: Iterable[str] = (),
        parameters: Mapping[str, Iterable[Any]] | None = None,
        timeout_s: float | None = None,
        own_process: bool = False,
        virtual_time: bool = False,
        pinned: bool = True,
        allow_leaks: Iterable[str] = (),
    ) -> Callable[[Function], Function]:
        """Declare the decorated function, sync or async, as a case.

        The function may take ``context``, the ``parameters`` declared here, and fixtures of the suite, each by name.

        Args:
            title: What people read; the function's name in words where none is given.
            kinds: Some of unit, integration, e2e, performance and stress. A case of kind performance or stress is
                measured in fresh processes when that kind is asked for, and otherwise runs once.
            tags: Words to select with ``--tag``, beside the suite's.
            parameters: For each parameter its values; the case exists once for every combination.
            timeout_s: The case's own limit in seconds, instead of the session's.
            own_process: Run it in a fresh process even when it is not measured.
            virtual_time: Run it on a loop whose clock jumps over waits (:mod:`wfrun.virtual_time`).
            pinned: Tie measuring processes to one core, which makes figures steadier; False where the case starts
                processes or threads of its own that should have the others.
            allow_leaks: Some of tasks, threads, processes, descriptors, files and memory: what the case may leave
                behind without failing for it. Processes and files are removed all the same.

        Raises:
            BadDeclaration: A kind or leak is unknown, a parameter has no values, or the function cannot take one.
        """

        def declare(function: Function) -> Function:
            self.cases.append(
                CaseDeclaration(
                    function=function,
                    title=title or function.__name__.strip("_").replace("_", " ").capitalize(),
                    kinds=_checked_kinds(kinds, function),
                    tags=tuple(tags),
                    parameters=_checked_parameters(parameters or {}, function),
                    timeout_s=timeout_s,
                    own_process=own_process,
                    virtual_time=virtual_time,
                    pinned=pinned,
                    allow_leaks=_checked_leaks(allow_leaks, function),
                )
            )
            return function

        return declare

    def benchmark(
        self,
        title: str | None = None,
        *,
        tags: Iterable[str] = (),
        parameters: Mapping[str, Iterable[Any]] | None = None,
        timeout_s: float | None = None,
        pinned: bool = True,
    ) -> Callable[[Function], Function]:
        """Declare a case of kind performance alone. Arguments as for :meth:`case`."""
        return self.case(
            title,
            kinds=(Kind.PERFORMANCE,),
            tags=tags,
            parameters=parameters,
            timeout_s=timeout_s,
            pinned=pinned,
        )

    def fixture(self, function: Function) -> Function:
        """Declare a function that provides what cases name as a parameter, afresh for each case.

        It may be sync or async, return its value or yield it once; what follows the ``yield`` is its tear-down and
        runs however the case ends. It may itself name ``context``, parameters and other fixtures.
        """
        self._add_fixture(FixtureDeclaration(function.__name__, function))
        return function

    def setup(self, function: Function) -> Function:
        """Declare a function that runs before each case; after a ``yield``, also after it. Forms as for fixtures."""
        self._add_fixture(FixtureDeclaration(function.__name__, function, always=True))
        return function

    def teardown(self, function: Function) -> Function:
        """Declare a function, sync or async, that runs after each case, however it ended, the last declared first.

        It may take ``context``.
        """
        self.teardowns.append(function)
        return function

    def _add_fixture(self, fixture: FixtureDeclaration) -> None:
        if fixture.name == CONTEXT:
            raise BadDeclaration(f"{place_of(fixture.function)}: 'context' is wfrun's own; call the fixture otherwise")
        if fixture.name in self.fixtures:
            first = place_of(self.fixtures[fixture.name].function)
            raise BadDeclaration(
                f"{place_of(fixture.function)}: the suite has a fixture {fixture.name!r} at {first}; rename one"
            )
        self.fixtures[fixture.name] = fixture


def place_of(function: Callable[..., Any]) -> str:
    """Return ``file:line`` of a function."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def _checked_kinds(kinds: Iterable[str], function: Callable[..., Any]) -> tuple[Kind, ...]:
    if isinstance(kinds, str):
        kinds = (kinds,)
    try:
        checked = tuple(dict.fromkeys(Kind(kind) for kind in kinds))
    except ValueError as error:
        raise BadDeclaration(f"{place_of(function)}: {error}; kinds are {', '.join(Kind)}") from None
    if not checked:
        raise BadDeclaration(f"{place_of(function)}: a case needs at least one kind of {', '.join(Kind)}")
    return checked


def _checked_leaks(leaks: Iterable[str], function: Callable[..., Any]) -> tuple[str, ...]:
    allowed = (leaks,) if isinstance(leaks, str) else tuple(dict.fromkeys(leaks))
    for leak in allowed:
        if leak not in LEAKS:
            raise BadDeclaration(f"{place_of(function)}: {leak!r} is no kind of leak; there are {', '.join(LEAKS)}")
    return allowed


def _checked_parameters(
    parameters: Mapping[str, Iterable[Any]], function: Callable[..., Any]
) -> dict[str, tuple[Any, ...]]:
    taken = inspect.signature(function).parameters
    spread = {name: tuple(values) for name, values in parameters.items()}
    for name, values in spread.items():
        if name not in taken:
            raise BadDeclaration(f"{place_of(function)}: {function.__name__}() does not take the parameter {name!r}")
        if not values:
            raise BadDeclaration(f"{place_of(function)}: the parameter {name!r} has no values, so no case would run")
    return spread
