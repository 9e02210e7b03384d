"""The panels of the help, and how a shell completes an option's value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CLOSER", "HOW", "KINDS", "MEASURE", "SETTINGS", "TELL", "WHICH", "values_for"]

KINDS: Final = "Kinds of cases (all but performance and stress unless some are named)"
WHICH: Final = "Which cases"
HOW: Final = "How they run"
CLOSER: Final = "Looking closer"
TELL: Final = "What is told, and where"
MEASURE: Final = "Measuring against a baseline"
SETTINGS: Final = "Settings kept elsewhere"


def values_for(option: str) -> Callable[[str], list[str]]:
    """Return what offers values for ``option`` where a shell completes it."""

    def offered(incomplete: str) -> list[str]:
        from wfrun.cli.completing import values_for as found  # noqa: PLC0415 - only a shell that completes needs it

        return found(option, incomplete)

    return offered
