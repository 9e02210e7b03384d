"""From loaded suite modules to cases: parameters spread out, ids given, mistakes found."""

from __future__ import annotations

import itertools
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from wfrun.authoring.declarations import Scope, plain_code
from wfrun.authoring.errors import DuplicateCase, ForeignLoop
from wfrun.authoring.info import CaseInfo, Tier
from wfrun.authoring.levels import FixtureLevel, folder_levels, needed_fixtures
from wfrun.authoring.load import folder_of, load_suite_module
from wfrun.authoring.source_hash import source_hash
from wfrun.authoring.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from wfrun.authoring.declarations import CaseDeclaration, FixtureDeclaration
    from wfrun.authoring.levels import FoundFixture

__all__ = ["CollectedCase", "collect_file", "suites_root"]

ROOT_NAME: Final = "suites"


class CollectedCase(NamedTuple):
    """A case that can be run here: what is known of it, and the functions and values that cannot cross processes."""

    info: CaseInfo
    declaration: CaseDeclaration
    suite: Suite
    arguments: dict[str, Any]
    level: FixtureLevel
    """Where its names are looked up, from its suite outward."""
    fixtures: tuple[FoundFixture, ...] = ()
    """Every fixture it needs, those first that others need."""


def collect_file(file: Path) -> list[CollectedCase]:
    """Load a suite file and return its cases in the order they stand in it.

    Raises:
        SuiteError: The file declares something that cannot be run.
        Exception: Whatever the file raises while it loads.
    """
    # From outside in, so that the nearest folder's modules are found first.
    outer = folder_levels(file, suites_root(file))
    module = load_suite_module(file)
    prefix = suite_path(file)
    cases: dict[str, CollectedCase] = {}
    for suite in dict.fromkeys(value for value in vars(module).values() if isinstance(value, Suite)):
        for case in _cases_of(suite, file, prefix, FixtureLevel(suite.fixtures, outer)):
            if case.info.id in cases:
                raise DuplicateCase(case.info.id, cases[case.info.id].declaration.place, case.declaration.place)
            cases[case.info.id] = case
    return list(cases.values())


def suites_root(file: Path) -> Path:
    """Return the folder that ids are relative to, so that a case has one id however it was reached.

    It is the nearest folder upward called ``suites``; else the nearest that holds a ``pyproject.toml`` or ``.git``;
    else the file's own folder.
    """
    return _root_of(folder_of(file))


@cache
def _root_of(start: Path) -> Path:
    upward = (start, *start.parents)
    for folder in upward:
        if folder.name == ROOT_NAME:
            return folder
    for folder in upward:
        if (folder / "pyproject.toml").exists() or (folder / ".git").exists():
            return folder
    return start


def suite_path(file: Path) -> str:
    """Return the part of an id that comes from the file: ``shop/orders`` for ``suites/shop/suite_orders.py``."""
    return _folder_prefix(folder_of(file)) + file.stem.removeprefix("suite_")


@cache
def _folder_prefix(folder: Path) -> str:
    relative = folder.relative_to(_root_of(folder))
    return f"{relative.as_posix()}/" if relative.parts else ""


def _cases_of(suite: Suite, file: Path, prefix: str, level: FixtureLevel) -> Iterator[CollectedCase]:
    path = str(file)
    always = [fixture.function for fixture in suite.fixtures.values() if fixture.always]
    for declaration in suite.cases:
        fixtures = _fixtures_of(declaration, (*always, *suite.teardowns), level)
        shared = tuple([found.key for found in fixtures if found.declaration.scope is Scope.SHARED])
        code = plain_code(declaration.function)
        hashed = source_hash(code)
        for arguments, texts in _combinations(declaration.parameters):
            label = f"[{','.join(f'{name}={text}' for name, text in texts.items())}]" if texts else ""
            info = CaseInfo(
                id=f"{prefix}::{declaration.function.__name__}{label}",
                title=f"{declaration.title} {label}".strip(),
                suite_title=suite.title,
                kinds=declaration.kinds,
                tags=tuple(dict.fromkeys([*suite.tags, *declaration.tags])),
                file=path,
                line=code.co_firstlineno,
                parameters=texts,
                timeout_s=declaration.timeout_s,
                own_process=declaration.own_process,
                virtual_time=declaration.virtual_time,
                pinned=declaration.pinned,
                source_hash=hashed,
                tier=declaration.tier or Tier.STANDARD,
                tier_named=declaration.tier is not None,
                own_loop=declaration.own_loop,
                exclusive=declaration.exclusive,
                groups=declaration.groups,
                skip=declaration.skip,
                expected_failure=declaration.expected_failure,
                shared=shared,
            )
            yield CollectedCase(info, declaration, suite, arguments, level, fixtures)


def _fixtures_of(
    declaration: CaseDeclaration, around: Iterable[Callable[..., Any]], level: FixtureLevel
) -> tuple[FoundFixture, ...]:
    """Return every fixture of a case and of what runs ``around`` it, having made sure that it can have them."""
    fixtures: dict[FixtureDeclaration, FoundFixture] = {}
    for function in (declaration.function, *around):
        fixtures |= needed_fixtures(function, declaration.parameters, level)
    if declaration.own_loop or declaration.virtual_time:
        for fixture in fixtures:
            if fixture.waits and fixture.scope in {Scope.SUITE, Scope.SESSION}:
                why = "own_loop=True" if declaration.own_loop else "virtual_time=True"
                raise ForeignLoop(
                    f"{declaration.place}: {declaration.function.__name__}() has a loop of its own ({why}) and cannot "
                    f"use the {fixture.scope} fixture {fixture.name!r}, which is async and lives on the suite's loop; "
                    f"make {fixture.name} a plain function, or give it the scope 'case'"
                )
    return tuple(fixtures.values())


def _combinations(parameters: dict[str, tuple[Any, ...]]) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    if not parameters:
        # The same as below, for nearly every case.
        yield {}, {}
        return
    labels = {name: _labels(name, values) for name, values in parameters.items()}
    for picks in itertools.product(*(range(len(values)) for values in parameters.values())):
        chosen = dict(zip(parameters, picks, strict=True))
        yield (
            {name: parameters[name][pick] for name, pick in chosen.items()},
            {name: labels[name][pick] for name, pick in chosen.items()},
        )


def _labels(name: str, values: tuple[Any, ...]) -> list[str]:
    """Return a short, distinct text for each value: itself where it is simple, else the parameter's name and index."""
    labels = []
    for index, value in enumerate(values):
        text = getattr(value, "__name__", None) or getattr(value, "name", None) or value
        simple = isinstance(text, str | int | float | bool | None)
        label = re.sub(r"[\s\[\],=:]+", "-", str(text)) if simple else f"{name}{index}"
        if not (label and len(label) <= 60) or label in labels:
            label = f"{name}{index}"
        while label in labels:  # another value may be called like this one's number
            label += "-again"
        labels.append(label)
    return labels
