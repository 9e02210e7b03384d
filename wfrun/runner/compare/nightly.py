"""Whether tonight is as the nights before it were: every series of a history looked at, and what a check fails on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from wfrun.runner.compare.nights import NIGHTS_NEEDED, look_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wfrun.runner.compare.nights import Look, Move
    from wfrun.runner.record.history import Series

__all__ = ["DEFAULT_FAIL_ON", "FailOn", "Finding", "NightlyCheck", "check_nights"]


class FailOn(StrEnum):
    """What may fail a check."""

    STEP = "step"
    """A gating metric left its band for the worse."""
    CREEP = "creep"
    """A gating metric moved away from its anchor for the worse, too slowly to leave its band."""
    IMPROVED = "improved"
    """A gating metric's level changed for the better: worth a new anchor."""
    MISSING = "missing"
    """A gating metric that other nights have was not measured in the last one."""


DEFAULT_FAIL_ON: Final = frozenset({FailOn.STEP, FailOn.CREEP})

_LEAST_FAR: Final = 0.01


@dataclass(frozen=True, slots=True)
class Finding:
    """What became certain of one series in the nights that are checked."""

    what: FailOn
    look: Look
    move: Move | None
    """``None`` for a metric that is missing."""
    fails: bool


@dataclass(frozen=True, slots=True)
class NightlyCheck:
    """What a check says."""

    nights: int
    """Of this machine."""
    needed: int
    findings: tuple[Finding, ...]
    moved: tuple[Look, ...]
    """Gating series whose level changed at some time and now lies a hundredth or more for the worse of its anchor."""
    within: int
    """Gating series without a finding."""
    few: tuple[Look, ...]
    """Gating series of the last night with too few nights for anything to be said."""

    @property
    def enough(self) -> bool:
        """Whether there are nights enough to say anything at all."""
        return self.nights >= self.needed

    @property
    def failing(self) -> tuple[Finding, ...]:
        """What ends a check with exit code 3."""
        return tuple(finding for finding in self.findings if finding.fails)


def check_nights(
    series: Iterable[Series], nights: int, *, last: int = 1, fail_on: frozenset[FailOn] = DEFAULT_FAIL_ON
) -> NightlyCheck:
    """Return what the last nights bring for ``series``, all of one machine.

    Args:
        series: Those to check.
        nights: How many nights the machine has.
        last: How many nights, counted from the newest, are news.
        fail_on: What fails the check, of metrics that gate.
    """
    looks = [look_at(each) for each in series]
    findings = [finding for look in looks for finding in _findings(look, last, fail_on)]
    told = {id(finding.look) for finding in findings}
    gating = [look for look in looks if look.series.gates]
    quiet = [look for look in gating if id(look) not in told and not look.series.absent]
    return NightlyCheck(
        nights=nights,
        needed=NIGHTS_NEEDED,
        findings=tuple(findings),
        moved=tuple(look for look in gating if not look.series.absent and look.enough and _is_far_off(look)),
        within=sum(look.enough for look in quiet),
        few=tuple(look for look in quiet if not look.enough),
    )


def _findings(look: Look, last: int, fail_on: frozenset[FailOn]) -> Iterable[Finding]:
    series = look.series
    if 0 < series.absent <= last:
        yield Finding(FailOn.MISSING, look, None, fails=series.gates and FailOn.MISSING in fail_on)
    for move in look.found_in(last):
        what = FailOn.IMPROVED if not move.worse else FailOn(move.kind)
        yield Finding(what, look, move, fails=series.gates and what in fail_on)


def _is_far_off(look: Look) -> bool:
    ratio = look.above_anchor
    if ratio is None or not look.moves:
        return False
    worse = ratio if look.series.better == "lower" else 1 / ratio
    return worse > 1 + _LEAST_FAR
