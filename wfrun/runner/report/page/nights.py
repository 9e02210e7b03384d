"""The case from night to night, where a history is kept: a curve for its main metrics, with what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wfrun.errors import WfrunError
from wfrun.runner.compare.nights import Look, look_at
from wfrun.runner.record.history import series_on
from wfrun.runner.record.history_file import HISTORY_FILE, read_history
from wfrun.runner.record.night import machine_of
from wfrun.runner.report.page.charts import over_sessions
from wfrun.runner.report.page.markup import label
from wfrun.units import format_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wfrun.runner.compare.nights import Move
    from wfrun.runner.record.session_record import SessionRecord

__all__ = ["Nights", "nights_here"]

CURVES: Final = 40
"""Drawn at most on a page; a curve takes about a kilobyte."""
CURVES_A_CASE: Final = 2
MOST_NIGHTS: Final = 60
"""The newest, of a longer history."""
_LEADING: Final = ("wall_time_ns", "throughput_per_s", "latency_p99_ns", "peak_rss_bytes")


class Nights:
    """What a history says of the cases of a session, and how many curves there is still room for."""

    def __init__(self, looks: Iterable[Look] = ()) -> None:
        self._by_case: dict[str, list[Look]] = {}
        for look in looks:
            if look.series.gates and len(look.series.nights) > 1:
                self._by_case.setdefault(look.series.case_id, []).append(look)
        self._room = CURVES

    def curves(self, case_id: str) -> Iterator[str]:
        """Yield the curves of a case: of the metrics that moved most lately, and of the main ones."""
        looks = sorted(self._by_case.get(case_id, ()), key=_interest)
        for look in looks[: min(CURVES_A_CASE, max(self._room, 0))]:
            self._room -= 1
            yield _curve(look)


def nights_here(record: SessionRecord | None) -> Nights:
    """Return the nights of this machine from the history in this folder; none where there is no such file.

    A history that cannot be read takes nothing else from a page: ``wfrun history`` says what is wrong with it.
    """
    if record is None or not HISTORY_FILE.is_file():
        return Nights()
    try:
        series = series_on(read_history(HISTORY_FILE), machine_of(record.fingerprint))
    except WfrunError:
        return Nights()
    measured = {outcome.id for outcome in record.outcomes}
    return Nights(look_at(each) for each in series if each.gates and each.case_id in measured)


def _interest(look: Look) -> tuple[bool, int, int]:
    newest = look.moves[-1].found_at if look.moves else -1
    name = look.series.metric
    return not look.moves, _LEADING.index(name) if name in _LEADING else len(_LEADING), -newest


def _curve(look: Look) -> str:
    series = look.series
    first = max(0, len(series.nights) - MOST_NIGHTS)
    nights = series.nights[first:]
    told = f"{label(series.metric)} over {len(nights)} nights"
    if look.moves:
        told += f"; {_told(look.moves[-1])}"
    return over_sessions(
        told,
        series.unit,
        [night.value for night in nights],
        [f"{night.created:%Y-%m-%d}" for night in nights],
        [move.since_at - first for move in look.moves],
    )


def _told(move: Move) -> str:
    moved = "moved" if move.ratio is None else f"moved by {format_percent(move.ratio)}"
    since = f"{move.since.created:%Y-%m-%d}"
    commits = [night.commit[:8] for night in (move.before, move.since) if night.commit is not None]
    between = f", between {' and '.join(commits)}" if len(set(commits)) == 2 else ""
    return f"{moved} on {since}{between}"
