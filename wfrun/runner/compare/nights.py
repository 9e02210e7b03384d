"""What a history says of one metric: where its level moved, between which nights and commits, and where it is now."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from wfrun.stats.nights import FEWEST_NIGHTS, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from wfrun.runner.record.history import Night, Series
    from wfrun.stats.nights import Shift

__all__ = ["NIGHTS_NEEDED", "Look", "Move", "look_at"]

NIGHTS_NEEDED: Final = FEWEST_NIGHTS + 1
"""Those a night is held against, and the night itself."""
LEAST_SPREAD: Final = 0.002
"""Nights that lie closer together than 0.2 % are taken to lie so far apart: exact counts would alarm at every move."""
LEAST_CHANGE: Final = 0.005
CASES_AS_ONE: Final = 10
"""So many cases share the limits of one row of nights, which are rare enough for them and what they measure."""
DEFAULT_CREEP_PERCENT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Move:
    """A change of level."""

    kind: Literal["step", "creep"]
    worse: bool
    found_at: int
    """Position in the series of the night after which it was certain."""
    since_at: int
    """Position of the first night at the new level."""
    since: Night
    before: Night
    """The last night at the old level: it moved between this one's commit and that of ``since``."""
    old: float
    """The level before, in the unit of the series."""
    new: float
    ratio: float | None
    """``new / old``; ``None`` where either is zero or less."""


@dataclass(frozen=True, slots=True)
class Look:
    """One series, looked at whole."""

    series: Series
    moves: tuple[Move, ...]
    """Every change of level, in the order they were found."""
    band: tuple[float, float] | None
    """Where the last night had to lie, from up to 15 nights before it, in unit; ``None`` with too few."""
    level: float
    """Of the last 15 nights since the last change, in unit."""
    anchor: float
    """The level that does not move: of the first 15 nights, or as accepted; in unit."""
    start_at: int
    """Position of the first night at the level of now."""

    @property
    def above_anchor(self) -> float | None:
        """``level / anchor``; ``None`` where either is zero or less."""
        return self.level / self.anchor if min(self.level, self.anchor) > 0 else None

    @property
    def enough(self) -> bool:
        """Whether there are nights enough to say anything."""
        return len(self.series.nights) >= NIGHTS_NEEDED

    def found_in(self, nights: int) -> tuple[Move, ...]:
        """Return the changes that became certain in the last so many nights of this machine."""
        first = len(self.series.nights) + self.series.absent - nights
        return tuple(move for move in self.moves if move.found_at >= first)


def look_at(series: Series) -> Look:
    """Return what the nights of ``series`` say."""
    values = series.values
    scale = _Scale.of(values)
    middle = abs(statistics.median(values))
    slack = scale.change_of(series.slack, middle) if series.slack else 0.0
    watched = watch(
        [scale.into(value) for value in values],
        least_spread=LEAST_SPREAD,
        least_change=max(LEAST_CHANGE, slack),
        creep=math.log1p((series.threshold_percent or DEFAULT_CREEP_PERCENT) / 100),
        anchors=series.anchors,
        among=math.ceil(series.among_cases / CASES_AS_ONE),
    )
    if watched.level is None or watched.anchor is None:
        raise ValueError("a series without nights says nothing")
    band = None if watched.band is None else (scale.back(watched.band.low), scale.back(watched.band.high))
    return Look(
        series=series,
        moves=tuple(_move(series, shift, scale.back) for shift in watched.shifts),
        band=band,
        level=scale.back(watched.level),
        anchor=scale.back(watched.anchor),
        start_at=watched.start,
    )


def _move(series: Series, shift: Shift, back: Callable[[float], float]) -> Move:
    old, new = back(shift.old), back(shift.old + shift.change)
    higher_is_worse = series.better == "lower"
    return Move(
        kind=shift.kind,
        worse=(shift.change > 0) == higher_is_worse,
        found_at=shift.found,
        since_at=shift.since,
        since=series.nights[shift.since],
        before=series.nights[max(0, shift.since - 1)],
        old=old,
        new=new,
        ratio=new / old if min(old, new) > 0 else None,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """What makes a difference mean the same wherever it lies: logarithms, or parts of the median where a value is 0."""

    unit: float | None
    """What differences are parts of; ``None`` for logarithms."""

    @classmethod
    def of(cls, values: tuple[float, ...]) -> _Scale:
        if min(values) > 0:
            return cls(None)
        return cls(statistics.median(abs(value) for value in values) or max(map(abs, values)) or 1.0)

    def into(self, value: float) -> float:
        return math.log(value) if self.unit is None else value / self.unit

    def back(self, value: float) -> float:
        return math.exp(value) if self.unit is None else value * self.unit

    def change_of(self, amount: float, at: float) -> float:
        return math.log1p(amount / at) if self.unit is None else amount / self.unit
