"""What was found about one side of the machine, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Finding", "Level", "unknown"]


class Level(StrEnum):
    """How well a machine is suited to measuring on, in one respect."""

    GOOD = "good"
    BEWARE = "beware"
    """Figures scatter more for it; comparisons still hold."""
    BAD = "bad"
    """Figures taken like this are hardly worth comparing."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's sheet."""

    name: str
    level: Level
    fact: str
    """What is so, in a few words."""
    advice: str = ""
    """What to do about it; empty where nothing needs doing."""
    values: Mapping[str, object] = field(default_factory=dict)
    """The figures behind it, in values that JSON can hold."""


def unknown(name: str, reason: str) -> Finding:
    """Return that a platform does not tell, and why."""
    return Finding(name, Level.UNKNOWN, reason)
