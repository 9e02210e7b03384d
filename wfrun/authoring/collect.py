"""From loaded suite modules to cases: parameters spread out, ids given, mistakes found."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import linecache
import re
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wfrun.authoring.declarations import Scope
from wfrun.authoring.errors import DuplicateCase, ForeignLoop
from wfrun.authoring.info import CaseInfo, Tier
from wfrun.authoring.levels import FixtureLevel, folder_levels, needed_fixtures
from wfrun.authoring.load import load_suite_module
from wfrun.authoring.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wfrun.authoring.declarations import CaseDeclaration, FixtureDeclaration
    from wfrun.authoring.levels import FoundFixture

__all__ = ["CollectedCase", "collect_file", "suites_root"]

ROOT_NAME: Final = "suites"


@dataclass(frozen=True, slots=True)
class CollectedCase:
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
    for folder in file.parents:
        if folder.name == ROOT_NAME:
            return folder
    for folder in file.parents:
        if (folder / "pyproject.toml").exists() or (folder / ".git").exists():
            return folder
    return file.parent


def suite_path(file: Path) -> str:
    """Return the part of an id that comes from the file: ``shop/orders`` for ``suites/shop/suite_orders.py``."""
    relative = file.relative_to(suites_root(file)).with_suffix("")
    return (relative.parent / relative.name.removeprefix("suite_")).as_posix()


def _cases_of(suite: Suite, file: Path, prefix: str, level: FixtureLevel) -> Iterator[CollectedCase]:
    for declaration in suite.cases:
        fixtures = _fixtures_of(declaration, suite, level)
        shared = tuple(found.key for found in fixtures if found.declaration.scope is Scope.SHARED)
        code = inspect.unwrap(declaration.function).__code__
        source_hash = _source_hash(code)
        for arguments, texts in _combinations(declaration.parameters):
            label = f"[{','.join(f'{name}={text}' for name, text in texts.items())}]" if texts else ""
            info = CaseInfo(
                id=f"{prefix}::{declaration.function.__name__}{label}",
                title=f"{declaration.title} {label}".strip(),
                suite_title=suite.title,
                kinds=declaration.kinds,
                tags=tuple(dict.fromkeys([*suite.tags, *declaration.tags])),
                file=str(file),
                line=code.co_firstlineno,
                parameters=texts,
                timeout_s=declaration.timeout_s,
                own_process=declaration.own_process,
                virtual_time=declaration.virtual_time,
                pinned=declaration.pinned,
                source_hash=source_hash,
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


def _fixtures_of(declaration: CaseDeclaration, suite: Suite, level: FixtureLevel) -> tuple[FoundFixture, ...]:
    """Return every fixture of a case, having made sure that it can have them."""
    always = (fixture.function for fixture in suite.fixtures.values() if fixture.always)
    fixtures: dict[FixtureDeclaration, FoundFixture] = {}
    for function in (declaration.function, *always, *suite.teardowns):
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


def _source_hash(code: types.CodeType) -> str:
    """Hash the lines of a function, as ``inspect.getsource`` returns them, which takes thirty times as long."""
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 : _last_line(code)]
    source = "".join(lines) if lines else code.co_code.hex()
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _last_line(code: types.CodeType) -> int:
    ends = [end or 0 for _, end, _, _ in code.co_positions()]
    return max(*ends, *(_last_line(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)), 0)
