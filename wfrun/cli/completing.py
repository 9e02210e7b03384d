"""What the shell is offered as an option's value; nothing of a suite is run for it, and it has little time."""
# ruff: noqa: PLC0415 - imports inside functions: a shell waits for this, and each option needs little

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from wfrun.authoring.info import CaseInfo
    from wfrun.cli.titles import Words

__all__ = ["values_for"]

MOST_S: Final = 0.4
"""Time spent on reading suite files at most."""
SUITES: Final = "suites"
BASELINES: Final = "baselines"
SUITE_GLOB: Final = "suite_*.py"
HEAD: Final = re.compile(r"(?is)(.*(?:(?:^|[\s(])(?:and|or|not)\s+|\(\s*))?(.*)")
"""A pattern up to the phrase that is being written, and that phrase."""


def values_for(option: str, incomplete: str) -> list[str]:
    """Return the values of ``option`` that begin with ``incomplete``, as the shell that asks wants them written."""
    if option in {"pattern", "exclude"}:
        return [_written(value) for value in _patterns(incomplete)]
    return [_written(value) for value in _beginning(incomplete, VALUES[option]())]


def _beginning(incomplete: str, values: Iterable[str]) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]


def _patterns(incomplete: str) -> list[str]:
    from wfrun.runner.plan.pattern import literal_pattern

    found = HEAD.fullmatch(incomplete)
    head, phrase = (found[1] or "", found[2]) if found else ("", incomplete)
    words = _words()
    # Quotes are for titles that mean something else without them.
    plain = (title if _finds_itself(title) else literal_pattern(title) for title in words.titles)
    # Capitals do not matter in a pattern, and shells want the letters that are there already to stay.
    return [
        head + phrase + each[len(phrase) :]
        for each in dict.fromkeys([*plain, *words.tags])
        if each.lower().startswith(phrase.lower())
    ]


def _finds_itself(title: str) -> bool:
    from wfrun.runner.plan.pattern import PatternError, parse_pattern, plain_text

    try:
        return parse_pattern(title).holds(plain_text(title))
    except PatternError:
        return False


def _words() -> Words:
    from wfrun.cli.titles import Words, scan_suites

    cached = _cached()
    if cached:
        titles = dict.fromkeys(title for case in cached for title in (case.suite_title, case.title))
        return Words(titles, dict.fromkeys(tag for case in cached for tag in case.tags))
    local = Path(SUITES)
    return scan_suites(sorted((local if local.is_dir() else _shipped()).rglob(SUITE_GLOB)), most_s=MOST_S)


def _cached() -> list[CaseInfo]:
    from wfrun.runner.discover.cache import cached_cases

    return cached_cases()


def _shipped() -> Path:
    package = Path(__file__).parents[1]
    return package / SUITES if (package / SUITES).is_dir() else package.parent / SUITES


def _targets() -> list[str]:
    from wfrun.authoring.targets import available_targets

    return [f"{name}={each}" for name, implementations in available_targets().items() for each in implementations]


def _profiles() -> list[str]:
    from wfrun.cli.config.file import BUILT_IN

    return [*dict.fromkeys([*_names_in("profiles"), *BUILT_IN])]


def _names_in(table: str) -> list[str]:
    """Return the names of tables in the nearest configuration; a mistake in it is told when the command is given."""
    from wfrun.cli.config.file import nearest_table
    from wfrun.errors import WfrunError

    try:
        _, found = nearest_table(Path.cwd())
    except WfrunError:
        return []
    named = found.get(table)
    return [*named] if isinstance(named, dict) else []


def _baselines() -> list[str]:
    return sorted(path.stem for path in Path(BASELINES).glob("*.json"))


def _refs() -> list[str]:
    from wfrun.runner.against.git import GitFailed, git

    try:
        return git(Path.cwd(), "for-each-ref", "--format=%(refname:short)").split()
    except GitFailed:
        return []


class _ForBash(str):
    """A value as it is, which prints with its spaces and marks escaped: bash puts what it is told on the line."""

    __slots__ = ()

    def __format__(self, _: str) -> str:
        return re.sub(r"([\s\"'\\()<>|&;$`!*?\[\]{}#~])", r"\\\1", str(self))


def _written(value: str) -> str:
    """Return ``value`` for the shell that asks; the others quote by themselves."""
    line = re.sub(r"\\.", "", os.environ.get("COMP_WORDS", ""))
    within_quotes = line.count('"') % 2 or line.count("'") % 2
    for_bash = os.environ.get("_WFRUN_COMPLETE") == "complete_bash" and not within_quotes
    # typer compares the value with what was typed before it prints it, so it may not be escaped before.
    return _ForBash(value) if for_bash else value


VALUES: Final[Mapping[str, Callable[[], Iterable[str]]]] = {
    "tag": lambda: _words().tags,
    "case": lambda: (case.id for case in _cached()),
    "target": _targets,
    "config": _profiles,
    "env": lambda: _names_in("env"),
    "compare": _baselines,
    "against": _refs,
    "baseline": _baselines,
    "category": lambda: ("unit", "integration", "e2e", "performance", "stress"),
    "tier": lambda: ("fast", "standard", "slow", "infrastructure"),
    "order": lambda: ("file", "random"),
    "fail-on": lambda: ("regressed", "missing", "inconclusive", "not-comparable", "new", "changed", "none"),
}
"""What there is to choose from, by option; asked for when it is needed."""
