"""How often a history is right: series of nights whose truth is known, looked at as ``wfrun history check`` does.

Run it as ``make prove-history``; it takes about a minute and always prints the same. A session's figure lies 1 %
(standard deviation) from the truth, normally distributed or with the heavier tails of Student's t with 5 degrees of
freedom; a night is made of its sessions as ``wfrun history add`` does. The bars are for five sessions a night, as
``make nightly`` takes them: the rest shows what fewer cost.

One figure a night cannot meet them, whatever the rule. By Neyman and Pearson the best test of two nights that finds a
step of three standard deviations in 95 % of cases, were the level and the spread known exactly, calls 0.5 % of all flat
pairs of nights a step: some forty alarms in 200 series, where one is allowed.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from wfrun.authoring.info import CaseInfo
from wfrun.runner.compare.nights import look_at
from wfrun.runner.record.history import Night, Series
from wfrun.stats.binomial import failure_rate_bound
from wfrun.stats.nights import night_figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from wfrun.runner.compare.nights import Look

__all__ = ["Found", "Nights", "creeping", "flat", "stepped"]

Noise: TypeAlias = Literal["normal", "t5"]

SERIES: Final = 200
NIGHTS: Final = 60
CREEPING_NIGHTS: Final = 120
SPREAD: Final = 0.01
STEP: Final = 0.03
CREEP_A_NIGHT: Final = 0.001
EARLIEST_STEP: Final = 16
IN_TIME_NIGHTS: Final = 2
SESSIONS: Final = 5
CASES: Final = 100
HISTORIES: Final = 20
"""Of so many cases, each looked at in one metric."""
SHARED: Final = 0.5
"""Of the variance: how much the sessions of a night have in common, where they have something in common."""
FIRST_NIGHT: Final = datetime(2026, 1, 1, 3, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """What came of some series."""

    series: int
    alarms: int
    """Changes for the worse that were told, where there was none."""
    better: int
    """Changes for the better that were told, where there was none."""
    in_time: int
    """Series whose change was told within two nights, the first slow one counted."""
    in_the_end: int
    """Series whose change was told at all."""
    placed: int
    """Series whose change was said to begin in the night in which it did."""
    again: int
    """Series in which the same change was told once more."""
    after_nights: tuple[int, ...] = ()
    """Of each series whose change was told: how many nights after it began."""


@dataclass(frozen=True, slots=True)
class Nights:
    """How the figures of nights come about."""

    sessions: int
    noise: Noise = "normal"
    shared: float = 0.0
    """How much of the variance the sessions of a night have in common."""
    cases: int = 1
    """How many cases the history has beside the one that is looked at, itself counted."""

    def figure(self, chance: random.Random) -> float:
        """Return a night's distance from the truth."""
        draw = _DRAWS[self.noise]
        own = night_figure([draw(chance) for _ in range(self.sessions)])
        return SPREAD * (math.sqrt(self.shared) * draw(chance) + math.sqrt(1 - self.shared) * own)

    def __str__(self) -> str:
        """Return what is printed above the results."""
        sessions = "1 session" if self.sessions == 1 else f"{self.sessions} sessions"
        common = f", {self.shared:.0%} of its variance common to a night" if self.shared else ""
        among = f", one of {self.cases} cases" if self.cases > 1 else ""
        return f"{self.noise} noise of 1 %{common}, {sessions} a night{among}"


def flat(nights: Nights, series: int, seed: int = 1) -> Found:
    """Return what is told of series in which nothing changes."""
    looks = _looks(nights, series, seed, lambda _chance: lambda _night: 0.0)
    moves = [move for look in looks for move in look.moves]
    worse = sum(move.worse for move in moves)
    return Found(series, worse, len(moves) - worse, 0, 0, 0, 0)


def stepped(nights: Nights, series: int, seed: int = 2) -> Found:
    """Return what is told of series that take 3 % longer from some night on."""
    starts: list[int] = []

    def step(chance: random.Random) -> Callable[[int], float]:
        starts.append(chance.randrange(EARLIEST_STEP, NIGHTS - IN_TIME_NIGHTS))
        return lambda night, start=starts[-1]: math.log1p(STEP) if night >= start else 0.0  # type: ignore[misc]

    return _found(_looks(nights, series, seed, step), starts)


def creeping(nights: Nights, series: int, seed: int = 3) -> Found:
    """Return what is told of series that take 0.1 % longer with every night after the first fifteen."""

    def creep(_chance: random.Random) -> Callable[[int], float]:
        return lambda night: CREEP_A_NIGHT * max(0, night - 14)

    return _found(_looks(nights, series, seed, creep, CREEPING_NIGHTS), [15] * series)


def _found(looks: list[Look], starts: list[int]) -> Found:
    alarms = better = in_time = placed = again = 0
    after: list[int] = []
    for look, start in zip(looks, starts, strict=True):
        told = [move for move in look.moves if move.worse and move.found_at >= start]
        alarms += sum(move.worse for move in look.moves) - len(told)
        better += sum(not move.worse for move in look.moves)
        if told:
            after.append(told[0].found_at - start + 1)
            in_time += told[0].found_at < start + IN_TIME_NIGHTS
            placed += told[0].since_at == start
            again += len(told) > 1
    return Found(len(looks), alarms, better, in_time, len(after), placed, again, tuple(after))


def _looks(
    nights: Nights,
    series: int,
    seed: int,
    truth_of: Callable[[random.Random], Callable[[int], float]],
    count: int = NIGHTS,
) -> list[Look]:
    chance = random.Random(f"{seed} {nights}")
    looks = []
    for _ in range(series):
        truth = truth_of(chance)
        values = [1e6 * math.exp(truth(night) + nights.figure(chance)) for night in range(count)]
        looks.append(look_at(_series(values, nights)))
    return looks


def _normal(chance: random.Random) -> float:
    return chance.gauss(0.0, 1.0)


def _t5(chance: random.Random) -> float:
    # Scaled so that its standard deviation is 1 too.
    return chance.gauss(0.0, 1.0) / math.sqrt(chance.gammavariate(2.5, 2.0) / 5) * math.sqrt(3 / 5)


_DRAWS: Final[dict[Noise, Callable[[random.Random], float]]] = {"normal": _normal, "t5": _t5}


def _series(values: list[float], how: Nights) -> Series:
    case = CaseInfo(
        id="load::flow",
        title="Flow",
        suite_title="Load",
        kinds=(),
        tags=(),
        file="",
        line=0,
        parameters={},
        timeout_s=None,
        own_process=False,
        virtual_time=False,
        pinned=True,
        source_hash="",
    )
    nights = tuple(
        Night(
            FIRST_NIGHT + timedelta(days=number),
            f"{number:040x}",
            dirty=False,
            value=value,
            interval=None,
            sessions=how.sessions,
            source_hash="",
        )
        for number, value in enumerate(values)
    )
    return Series(
        case_id=case.id,
        case=case,
        metric="wall_time_ns",
        unit="ns",
        better="lower",
        gates=True,
        threshold_percent=5.0,
        slack=0.0,
        machine="simulated",
        nights=nights,
        among_cases=how.cases,
    )


def main() -> None:
    """Simulate, print k of n with exact 95 % bounds, and end with 1 where a bar is missed."""
    barred = Nights(SESSIONS)
    tried = [Nights(sessions, noise) for noise in _DRAWS for sessions in (1, 3, SESSIONS)]
    harder = (Nights(SESSIONS, shared=SHARED), Nights(SESSIONS, cases=CASES))
    missed = [bar for nights in (*tried, *harder) for bar in _told(nights, barred)]
    print(f"\nbars missed: {', '.join(missed)}" if missed else "\nall bars are met")
    sys.exit(bool(missed))


def _told(nights: Nights, barred: Nights) -> list[str]:
    """Simulate and print; return the bars that are missed, which hold for ``barred`` alone."""
    print(f"\n{nights}")
    count = SERIES if nights.cases == 1 else HISTORIES * nights.cases
    nothing, step = flat(nights, count), stepped(nights, SERIES)
    print(
        f"  flat, {NIGHTS} nights   {nothing.alarms} alarms in {count} series"
        f" (at most in {_at_most(nothing.alarms, count)} of series), {nothing.better} told better"
    )
    print(
        f"  step of 3 %       {step.in_time} of {SERIES} within two nights"
        f" (at least {_at_least(step.in_time, SERIES)}), {step.in_the_end} before the end,"
        f" {step.placed} placed to the night, {step.again} told again"
    )
    if nights.sessions < SESSIONS:
        return []
    creep = creeping(nights, SERIES)
    print(
        f"  0.1 % a night     {creep.in_the_end} of {SERIES} told in {CREEPING_NIGHTS - 15} nights of it"
        f" (at least {_at_least(creep.in_the_end, SERIES)}), half of them after"
        f" {statistics.median(creep.after_nights):g} nights, all after {max(creep.after_nights)}"
    )
    if nights != barred:
        return []
    bars = {
        "at most 1 alarm in flat series": nothing.alarms <= 1,
        "95 % of steps within two nights": step.in_time >= 0.95 * SERIES,
        "95 % of what creeps": creep.in_the_end >= 0.95 * SERIES,
    }
    return [bar for bar, met in bars.items() if not met]


def _at_most(failures: int, tries: int) -> str:
    return f"{failure_rate_bound(min(failures, tries), tries):.1%}"


def _at_least(successes: int, tries: int) -> str:
    return f"{1 - failure_rate_bound(tries - successes, tries):.1%}"


if __name__ == "__main__":
    main()
