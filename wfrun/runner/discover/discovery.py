"""The result of looking for cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.child.messages import LoadFailure

__all__ = ["Discovery"]


@dataclass(frozen=True, slots=True, repr=False)
class Discovery:
    """Every case under the given paths, and every suite file that could not be loaded."""

    files: tuple[str, ...]
    """Absolute paths."""
    cases: tuple[CaseInfo, ...]
    failures: tuple[LoadFailure, ...] = ()
    shipped: bool = False
    """Whether these are the suites that come with wfrun, because no path was given and there is no ./suites."""
    warnings: tuple[str, ...] = ()
    """What else to tell about the search."""

    def __repr__(self) -> str:
        # Short, because asyncio makes the text of what it ran whenever it gives back the signal handlers.
        return f"<Discovery of {len(self.cases)} cases in {len(self.files)} files>"
