"""What a suite file is made of: a suite, its cases, what they need, and what happens before and after them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeVar, overload

from wfrun.authoring.declarations import CaseDeclaration, FixtureDeclaration, Scope, fixture_declaration, place_of
from wfrun.authoring.errors import BadDeclaration
from wfrun.authoring.info import Kind, Tier

__all__ = ["LEAKS", "Suite"]

Function = TypeVar("Function", bound=Callable[..., Any])

LEAKS: Final = ("tasks", "threads", "processes", "descriptors", "files", "memory")
"""What a case may leave behind, by the words of ``allow_leaks``."""


@dataclass(slots=True, eq=False)
class Suite:
    """A titled set of cases in one ``suite_*.py`` file.

    >>> suite = Suite("Orders", tags=["shop"])
    >>> @suite.case("Every order is shipped once", kinds=["e2e"])
    ... async def shipped_once(context): ...

    Args:
        title: What people read, and select with ``--pattern``.
        tags: Words to select with ``--tag``; every case has them.
        tier: The tier of its cases that name none: fast, standard, slow or infrastructure.
        groups: Groups that every case belongs to, with the most of them that may run at a time.
    """

    title: str
    tags: Sequence[str] = ()
    tier: str | None = None
    groups: Mapping[str, int] = field(default_factory=dict)
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
        tier: str | None = None,
        timeout_s: float | None = None,
        skip: str | None = None,
        skip_if: tuple[bool, str] | None = None,
        expected_failure: str | None = None,
        exclusive: bool = False,
        groups: Mapping[str, int] | None = None,
        own_process: bool = False,
        own_loop: bool = False,
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
            tier: How long it may take, which is its time-out where neither ``timeout_s`` nor ``--timeout`` says
                otherwise: fast (5 min), standard (15 min), slow (45 min) or infrastructure (60 min).
            timeout_s: The case's own limit in seconds, instead of the session's.
            skip: Why it does not apply; it is not run then.
            skip_if: A condition, and why the case does not apply where it is true.
            expected_failure: Why it is known to fail. That it fails is well then, and that it passes is a failure.
            exclusive: Run nothing else beside it, on any worker.
            groups: Groups it belongs to, with the most of their cases that may run at a time: ``{"database": 2}``.
            own_process: Run it in a fresh process even when it is not measured.
            own_loop: Run it on an event loop of its own and not on its suite's.
            virtual_time: Run it on a loop whose clock jumps over waits (:mod:`wfrun.virtual_time`).
            pinned: Tie measuring processes to one core, which makes figures steadier; False where the case starts
                processes or threads of its own that should have the others.
            allow_leaks: Some of tasks, threads, processes, descriptors, files and memory: what the case may leave
                behind without failing for it. Processes and files are removed all the same.

        Raises:
            BadDeclaration: A kind, tier or leak is unknown, a parameter has no values, the function cannot take one, a
                group has no room, or a reason is missing.
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
                    own_loop=own_loop,
                    virtual_time=virtual_time,
                    pinned=pinned,
                    allow_leaks=_checked_leaks(allow_leaks, function),
                    tier=_checked_tier(tier or self.tier, function),
                    exclusive=exclusive,
                    groups=_checked_groups({**self.groups, **(groups or {})}, function),
                    skip=_skip_reason(skip, skip_if, function),
                    expected_failure=_checked_reason("expected_failure", expected_failure, function),
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
        tier: str | None = None,
        timeout_s: float | None = None,
        skip: str | None = None,
        skip_if: tuple[bool, str] | None = None,
        expected_failure: str | None = None,
        pinned: bool = True,
    ) -> Callable[[Function], Function]:
        """Declare a case of kind performance alone. Arguments as for :meth:`case`."""
        return self.case(
            title,
            kinds=(Kind.PERFORMANCE,),
            tags=tags,
            parameters=parameters,
            tier=tier,
            timeout_s=timeout_s,
            skip=skip,
            skip_if=skip_if,
            expected_failure=expected_failure,
            pinned=pinned,
        )

    @overload
    def fixture(self, function: Function, /) -> Function: ...

    @overload
    def fixture(self, /, *, scope: str = Scope.CASE) -> Callable[[Function], Function]: ...

    def fixture(
        self, function: Function | None = None, /, *, scope: str = Scope.CASE
    ) -> Function | Callable[[Function], Function]:
        """Declare a function that provides what cases name as a parameter: ``@fixture`` or ``@fixture(scope=…)``.

        It may be sync or async, return its value or yield it once; what follows the ``yield`` is its tear-down and
        runs however the case ends. It may itself name ``context``, parameters and other fixtures.

        Args:
            function: What is decorated.
            scope: ``case`` makes it afresh for each case; ``suite`` once for the suite file; ``session`` once for each
                worker; ``shared`` once for the session, in a process of its own, where it must yield a JSON value.
                What lives longer cannot use what lives shorter.

        Raises:
            BadDeclaration: The suite has one of this name, or there is no such scope.
        """

        def declare(function: Function) -> Function:
            self._add_fixture(fixture_declaration(function, scope))
            return function

        return declare if function is None else declare(function)

    def setup(self, function: Function) -> Function:
        """Declare a function that runs before each case; after a ``yield``, also after it. Forms as for fixtures."""
        self._add_fixture(fixture_declaration(function, Scope.CASE, always=True))
        return function

    def teardown(self, function: Function) -> Function:
        """Declare a function, sync or async, that runs after each case, however it ended, the last declared first.

        It may take ``context``.
        """
        self.teardowns.append(function)
        return function

    def _add_fixture(self, fixture: FixtureDeclaration) -> None:
        if fixture.name in self.fixtures:
            first = place_of(self.fixtures[fixture.name].function)
            raise BadDeclaration(
                f"{place_of(fixture.function)}: the suite has a fixture {fixture.name!r} at {first}; rename one"
            )
        self.fixtures[fixture.name] = fixture


def _checked_kinds(kinds: Iterable[str], function: Callable[..., Any]) -> tuple[Kind, ...]:
    try:
        checked = _known_kinds((kinds,) if isinstance(kinds, str) else tuple(kinds))
    except (ValueError, TypeError) as error:
        raise BadDeclaration(f"{place_of(function)}: {error}; kinds are {', '.join(Kind)}") from None
    if not checked:
        raise BadDeclaration(f"{place_of(function)}: a case needs at least one kind of {', '.join(Kind)}")
    return checked


@cache
def _known_kinds(kinds: tuple[str, ...]) -> tuple[Kind, ...]:
    return tuple(dict.fromkeys(map(Kind, kinds)))


def _checked_leaks(leaks: Iterable[str], function: Callable[..., Any]) -> tuple[str, ...]:
    allowed = (leaks,) if isinstance(leaks, str) else tuple(dict.fromkeys(leaks))
    for leak in allowed:
        if leak not in LEAKS:
            raise BadDeclaration(f"{place_of(function)}: {leak!r} is no kind of leak; there are {', '.join(LEAKS)}")
    return allowed


def _checked_parameters(
    parameters: Mapping[str, Iterable[Any]], function: Callable[..., Any]
) -> dict[str, tuple[Any, ...]]:
    if not parameters:
        return {}
    taken = inspect.signature(function).parameters
    spread = {name: tuple(values) for name, values in parameters.items()}
    for name, values in spread.items():
        if name not in taken:
            raise BadDeclaration(f"{place_of(function)}: {function.__name__}() does not take the parameter {name!r}")
        if not values:
            raise BadDeclaration(f"{place_of(function)}: the parameter {name!r} has no values, so no case would run")
    return spread


def _checked_tier(tier: str | None, function: Callable[..., Any]) -> Tier | None:
    try:
        return None if tier is None else Tier(tier)
    except ValueError:
        raise BadDeclaration(f"{place_of(function)}: {tier!r} is no tier; tiers are {', '.join(Tier)}") from None


def _checked_groups(groups: Mapping[str, int], function: Callable[..., Any]) -> tuple[tuple[str, int], ...]:
    for name, limit in groups.items():
        if limit < 1:
            raise BadDeclaration(f"{place_of(function)}: the group {name!r} lets {limit} cases run; give at least 1")
    return tuple(groups.items())


def _skip_reason(skip: str | None, skip_if: tuple[bool, str] | None, function: Callable[..., Any]) -> str | None:
    reason = _checked_reason("skip", skip, function)
    if reason is None and skip_if is not None:
        condition, why = skip_if
        _checked_reason("skip_if", why, function)
        reason = why if condition else None
    return reason


def _checked_reason(argument: str, reason: object, function: Callable[..., Any]) -> str | None:
    if reason is None:
        return None
    if isinstance(reason, str) and reason.strip():
        return reason
    raise BadDeclaration(f"{place_of(function)}: {argument} needs a reason in words, not {reason!r}")
