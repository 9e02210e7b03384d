"""The page about how often comparisons were right: k of n with exact bounds, against what is promised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.proof.comparison import EXPERIMENTS, Result
from tests.proof.peers import PEERS
from wfrun.stats.binomial import failure_rate_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HEAD: Final = """\
# How often comparisons are right

Seven kinds of work, an asyncio queue, allocations, waiting, arithmetic of one and of fifty milliseconds, a SQLite
writer (write-ahead log) and a process pool (a task of twenty milliseconds for each of its two processes), are compared
with themselves and with copies that have more to do, by the real command, in sessions of all seven. Of a pool that is
handed tasks of half a millisecond, nothing below 10 % could be shown: how the system spreads such work over two cores
scatters by 15 %. A *false alarm* is any metric that would fail a session of identical code. *Found* is a
regression of `wall_time_ns`. Bounds are exact, one-sided, 95 %. `make prove-comparison-full` takes what is missing and
writes this page.

| what is promised | required | counted | bound | |
| --- | --- | --- | --- | --- |
"""
ERROR_PERCENT: Final = 0.7


@dataclass(frozen=True)
class Promise:
    """One row: how many of the results of some experiments are as they should be."""

    text: str
    experiments: tuple[str, ...]
    good: Callable[[Result], bool]
    least_rate: float
    least_count: int = 0


def _quiet(result: Result) -> bool:
    return not result.alarms


def _found(result: Result) -> bool:
    return result.verdict == "regressed"


def _found_or_undecided(result: Result) -> bool:
    return result.verdict in {"regressed", "inconclusive"}


def _covers(result: Result) -> bool:
    truth = next(each.percent for each in EXPERIMENTS if each.name == result.experiment)
    if result.low_percent is None or result.high_percent is None:
        return True
    return result.low_percent <= truth <= result.high_percent


SIDE_BY_SIDE: Final = ("identical", "+5 %", "+10 %")
PROMISES: Final = (
    Promise("identical code: no false alarm", ("identical",), _quiet, 1.0, 200),
    Promise("+5 % is found", ("+5 %",), _found, 0.95, 100),
    Promise("+10 % is found", ("+10 %",), _found, 0.99, 100),
    Promise("+2 % is found in 30 s, threshold 1 %", ("+2 %, 30 s",), _found, 0.90),
    Promise("intervals cover the truth", SIDE_BY_SIDE, _covers, 0.98),
    Promise("busy neighbour, identical: no false alarm", ("identical, busy neighbour",), _quiet, 1.0, 60),
    Promise("busy neighbour: +10 % is found", ("+10 %, busy neighbour",), _found, 0.80),
    Promise("busy neighbour: the rest is inconclusive", ("+10 %, busy neighbour",), _found_or_undecided, 1.0),
    Promise("stored baseline, identical: no false alarm", ("identical, stored baseline",), _quiet, 1.0, 100),
    Promise("stored baseline: +10 % is found", ("+10 %, stored baseline",), _found, 0.95),
)


def table(known: Mapping[str, Sequence[Result]]) -> tuple[str, bool]:
    """Return the page, and whether a promise is not kept by what was counted so far."""
    rows, missed = [], False
    for promise in PROMISES:
        found = [promise.good(result) for name in promise.experiments for result in known.get(name, ())]
        kept = bool(found) and sum(found) / len(found) >= promise.least_rate
        missed = missed or not kept
        rows.append(_row(promise, found, kept=kept))
    errors = [_error(result) for name in SIDE_BY_SIDE for result in known.get(name, ())]
    squares = [error * error for error in errors if error is not None]
    if squares:
        rms = math.sqrt(sum(squares) / len(squares))
        missed = missed or rms > ERROR_PERCENT
        told = "kept" if rms <= ERROR_PERCENT else "**missed**"
        rows.append(f"| error of the estimate, rms | ≤ {ERROR_PERCENT} % | {rms:.2f} % of {len(squares)} | | {told} |")
    beside, behind = _beside_peers(known)
    return HEAD + "\n".join(rows) + "\n" + beside + _by_case(known) + _machines(known), missed or behind


def _row(promise: Promise, found: Sequence[bool], *, kept: bool) -> str:
    required = "all" if promise.least_rate == 1 else f"≥ {promise.least_rate:.0%}"
    if promise.least_count:
        required += f" of ≥ {promise.least_count}"
    if not found:
        return f"| {promise.text} | {required} | not yet | | |"
    bound = 1 - failure_rate_bound(len(found) - sum(found), len(found))
    told = "**missed**" if not kept else "kept" if len(found) >= promise.least_count else "so far"
    return f"| {promise.text} | {required} | {sum(found)} of {len(found)} | ≥ {bound:.1%} | {told} |"


def _beside_peers(known: Mapping[str, Sequence[Result]]) -> tuple[str, bool]:
    """Return wfrun beside other tools on the same work, and whether one of them is ahead in a column."""
    lines = ["", "| | false alarms on identical code | +5 % found | +10 % found | error, rms |"]
    lines.append("| --- | --- | --- | --- | --- |")
    columns: list[tuple[float, ...]] = []
    for name in ("", *PEERS):
        taken = [known.get(f"{change}, {name}" if name else change, ()) for change in SIDE_BY_SIDE]
        if not all(taken):
            continue
        alarms, five, ten = ([_found(result) for result in found] for found in taken)
        errors = [error for found in taken for result in found if (error := _error(result)) is not None]
        rms = math.sqrt(sum(error * error for error in errors) / len(errors))
        cells = (f"{sum(each)} of {len(each)}" for each in (alarms, five, ten))
        lines.append(f"| {name or 'wfrun'} | {' | '.join(cells)} | {rms:.1f} % |")
        columns.append((-sum(alarms) / len(alarms), sum(five) / len(five), sum(ten) / len(ten), -rms))
    if len(columns) < 2:
        return "", False
    behind = any(own < peer for peers in columns[1:] for own, peer in zip(columns[0], peers, strict=True))
    return "\n".join(lines) + "\n", behind


def _error(result: Result) -> float | None:
    truth = next(each.percent for each in EXPERIMENTS if each.name == result.experiment)
    return None if result.change_percent is None else result.change_percent - truth


def _by_case(known: Mapping[str, Sequence[Result]]) -> str:
    """Return the same by kind of work: who is hard."""
    cases = list(dict.fromkeys(result.case for found in known.values() for result in found))
    lines = ["", "| experiment | " + " | ".join(cases) + " |", "| --- |" + " --- |" * len(cases)]
    for experiment in EXPERIMENTS:
        found = known.get(experiment.name, ())
        if not found:
            continue
        good = _found if experiment.percent else _quiet
        cells = []
        for case in cases:
            own = [good(result) for result in found if result.case == case]
            errors = [error for result in found if result.case == case if (error := _error(result)) is not None]
            rms = math.sqrt(sum(error * error for error in errors) / len(errors)) if errors else math.nan
            cells.append(f"{sum(own)} of {len(own)}, {rms:.1f} %" if own else "")
        lines.append(f"| {experiment.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\nBehind the counts: the error of the estimate, rms.\n" if cases else ""


def _machines(known: Mapping[str, Sequence[Result]]) -> str:
    machines = sorted({result.machine for found in known.values() for result in found})
    return f"\nTaken on {'; '.join(machines)}, shared with others.\n" if machines else ""
