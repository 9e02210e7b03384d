"""Mistakes in a suite, found while it loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BadDeclaration",
    "DuplicateCase",
    "FixtureCycle",
    "ModuleClash",
    "SkipCase",
    "UnknownFixture",
    "UnknownTarget",
]


class DuplicateCase(SuiteError):
    """Two cases share an id, so a baseline could not tell them apart."""

    def __init__(self, case_id: str, first: str, second: str) -> None:
        super().__init__(f"{case_id!r} is at {first} and again at {second}; rename one of the two functions")
        self.case_id = case_id


class BadDeclaration(SuiteError):
    """A case, fixture or parameter is declared in a way that cannot be run."""


class UnknownFixture(SuiteError):
    """A case or fixture asks for a parameter that nobody provides."""


class FixtureCycle(SuiteError):
    """Fixtures need one another in a circle."""

    def __init__(self, path: Sequence[str]) -> None:
        super().__init__(f"fixtures need one another in a circle: {' → '.join(path)}; break it at one of them")


class ModuleClash(SuiteError):
    """Two suite folders hold helper modules of one name, and only one of them can be imported."""


class UnknownTarget(SuiteError):
    """A suite asks for a system that no installed package offers."""


class SkipCase(Exception):
    """Raised by ``context.skip``: the case does not apply here, and says why."""
