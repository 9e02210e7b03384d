"""Mistakes in a suite, found while it loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BadDeclaration",
    "BrokenFixture",
    "DuplicateCase",
    "FixtureCycle",
    "ForeignLoop",
    "ModuleClash",
    "NarrowerFixture",
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


class NarrowerFixture(SuiteError):
    """A fixture asks for something that does not live as long as itself."""

    def __init__(self, place: str, scope: str, asker: str, narrower: str | None, name: str) -> None:
        what = f"the parameter {name!r}" if narrower is None else f"the {narrower} fixture {name!r}"
        wider = "" if narrower is None else f"give {name} the scope '{scope}', or "
        super().__init__(
            f"{place}: the {scope} fixture {asker!r} asks for {what}, which does not live as long; "
            f"{wider}give {asker} the scope '{narrower or 'case'}'"
        )


class ForeignLoop(SuiteError):
    """A case with an event loop of its own asks for a fixture that lives on its suite's."""


class BrokenFixture(SuiteError):
    """A fixture that outlives a case could not be set up, so none of the cases that need it can run."""


class ModuleClash(SuiteError):
    """Two suite folders hold helper modules of one name, and only one of them can be imported."""


class UnknownTarget(SuiteError):
    """A suite asks for a system that no installed package offers."""


class SkipCase(Exception):
    """Raised by ``context.skip``: the case does not apply here, and says why."""
