"""What was compared, case by case: each metric then and now, its interval, its samples, its verdict."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from wfrun.measure.metrics import METRICS
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.report.delta_table import ORDER, change_shown, doubts_told, failing_lines
from wfrun.runner.report.page.charts import distribution, latency_curves, over_repetitions
from wfrun.runner.report.page.drawing import BINS, extent_of, interval, strip, threshold_symbol
from wfrun.runner.report.page.markup import anchor, label, listed, text
from wfrun.runner.report.page.reasons import reasons
from wfrun.runner.report.text import plural, shown_path
from wfrun.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wfrun.runner.compare.verdicts import Comparison, MetricComparison
    from wfrun.runner.report.page.nights import Nights

__all__ = ["compared"]

LETTERS: Final = {
    Verdict.REGRESSED: "r",
    Verdict.IMPROVED: "i",
    Verdict.INCONCLUSIVE: "u",
    Verdict.NOT_COMPARABLE: "x",
    Verdict.MISSING: "m",
    Verdict.NEW: "n",
}
TELLING: Final = frozenset({Verdict.REGRESSED, Verdict.IMPROVED})
PAGE_BYTES: Final = 280_000
"""What a large page is to stay below: drawings of samples are left out beyond it, of what changed last of all."""
LEAST_DRAWN_BYTES: Final = 24_000
LARGE: Final = 10
"""Changed metrics whose samples are drawn large as well."""
LARGE_A_CASE: Final = 2
MANY: Final = 400
"""Metrics, from which on samples are counted into fewer bins."""
_WIDEST_PERCENT: Final = 60.0
_CATALOGUE: Final = list(METRICS)


def compared(comparison: Comparison, nights: Nights) -> Iterator[str]:
    """Yield the section: a table with a group for each case, those with regressions first."""
    groups: dict[str, list[MetricComparison]] = {}
    chosen = _Chosen(comparison)
    drawn = _Drawings(chosen)
    for row in chosen.rows:
        groups.setdefault(row.case_id, []).append(row)
    yield f'<section id="compared"><h2>Compared with {text(shown_path(comparison.baseline_path))}</h2>'
    if not groups:
        yield "<p>There is no metric to judge.</p></section>"
        return
    yield listed([*failing_lines(comparison), *filter(None, [comparison.machine_noise])])
    yield listed(doubts_told(comparison, filter(_tells_something, chosen.rows)), shown=4, tone="doubts")
    yield f'<svg class="defs" aria-hidden="true">{drawn.symbols}</svg>'
    yield _legend(comparison, drawn)
    yield from _filter(chosen.rows)
    heads = ("case and metric", comparison.old_name, comparison.new_name, "change")
    yield '<table class="metrics" data-sorts data-word="6"><thead><tr>'
    yield "".join(f'<th scope="col" data-sort>{text(name)}' for name in heads)
    yield f'<th scope="col">interval <small>± {drawn.percent:g} %</small>'
    yield '<th scope="col">samples<th scope="col" data-sort>verdict</thead>'
    yield "\n".join(_group(comparison, rows, drawn, nights) for rows in groups.values())
    yield "</table>"
    missing = []
    if chosen.left_out:
        missing.append(f"{plural(chosen.left_out, 'metric')} of advice that show nothing are left out")
    if drawn.left_out:
        missing.append(f"the samples of {plural(drawn.left_out, 'metric')} are not drawn")
    if missing:
        yield f'<p class="dim">To keep the page small {" and ".join(missing)}: the session record has them.</p>'
    yield from _meanings({row.metric for row in chosen.rows})
    yield "</section>"


def _meanings(metrics: set[str]) -> Iterator[str]:
    """Yield what the names of metrics mean, folded."""
    known = [METRICS[name] for name in _CATALOGUE if name in metrics]
    if not known:
        return
    rows = "".join(
        f"<tr><th scope=row>{text(label(metric.name))}<td><code>{metric.name}</code><td>{text(metric.meaning)}"
        for metric in known
    )
    yield '<details class="fold"><summary>What the metrics mean</summary><div class="scroll"><table class="plain">'
    yield f"<thead><tr><th scope=col>metric<th scope=col>name in options<th scope=col>meaning<tbody>{rows}"
    yield "</table></div></details>"


class _Chosen:
    """The rows that a page has room for, the most urgent first; what is left out shows nothing."""

    def __init__(self, comparison: Comparison) -> None:
        rows = [row for row in sorted(comparison.metrics, key=_urgency) if not _is_idle(row)]
        self._curves = len(comparison.latencies)
        self.rows = rows
        self.all_intervals = True
        if self.room < LEAST_DRAWN_BYTES:
            self.rows = list(filter(_tells_something, rows))
        self.all_intervals = self.room >= LEAST_DRAWN_BYTES
        self.left_out = len(rows) - len(self.rows)

    @property
    def room(self) -> int:
        """How many bytes words and figures leave for drawings of samples, roughly."""
        intervals = sum(map(self.has_interval, self.rows))
        cases = len({row.case_id for row in self.rows})
        return PAGE_BYTES - 20_000 - 90 * len(self.rows) - 64 * intervals - 500 * cases - 420 * self._curves

    def has_interval(self, row: MetricComparison) -> bool:
        """Return whether the interval of a row is drawn: it is judged, and there is one."""
        wanted = row.gates and (self.all_intervals or row.verdict is not Verdict.SAME)
        return wanted and row.ratio is not None and row.interval is not None and row.interval[0] < row.interval[1]


class _Drawings:
    """The small drawings of all rows, in one scale, as many as there is room for."""

    def __init__(self, chosen: _Chosen) -> None:
        rows = chosen.rows
        self._chosen = chosen
        self.percent = _scale_percent(rows)
        self.large = LARGE
        self.left_out = 0
        self._pixels = {row.threshold_percent: self._width(row.threshold_percent) for row in rows if row.interval}
        self._strips: dict[tuple[str, str], str] = {}
        bins = BINS if len(rows) <= MANY else BINS // 2
        room = max(chosen.room, LEAST_DRAWN_BYTES)
        for row in sorted(rows, key=lambda row: (row.verdict not in TELLING, not row.gates)):
            drawn = strip(row.old_samples, row.new_samples, bins)
            room -= len(drawn)
            if room >= 0:
                self._strips[row.case_id, row.metric] = drawn
            elif drawn:
                self.left_out += 1

    @property
    def symbols(self) -> str:
        """What the intervals share."""
        return "".join(threshold_symbol(pixels) for pixels in sorted(set(self._pixels.values())))

    def interval(self, row: MetricComparison) -> str:
        """Return the interval of a row, where it is drawn."""
        if row.interval is None or row.ratio is None or not self._chosen.has_interval(row):
            return ""
        low, estimate, high = (
            (ratio - 1) * 100 / self.percent for ratio in (row.interval[0], row.ratio, row.interval[1])
        )
        return interval(low, estimate, high, self._pixels[row.threshold_percent])

    def strip(self, row: MetricComparison) -> str:
        """Return the samples of a row, where there is room for them."""
        return self._strips.get((row.case_id, row.metric), "")

    def _width(self, threshold_percent: float) -> int:
        return round(min(threshold_percent / self.percent, 1.0) * 57)


def _scale_percent(rows: Sequence[MetricComparison]) -> float:
    """Return what the edge of an interval's drawing stands for: room for most, and never so much that none shows."""
    reach = sorted(
        max(abs(end - 1) * 100 for end in row.interval)
        for row in rows
        # What is exact has no interval to draw, and a count may well have grown a hundredfold.
        if row.interval is not None and row.interval[0] < row.interval[1] and row.gates
    )
    widest = reach[int(0.85 * (len(reach) - 1))] if reach else 10.0
    # A threshold is worth seeing whole, unless noise has widened it beyond all measure.
    thresholds = sorted(row.threshold_percent for row in rows if row.gates)
    needed = max(widest, 10.0, 1.2 * thresholds[len(thresholds) // 2] if thresholds else 0.0)
    return next((step for step in (10.0, 15.0, 20.0, 30.0, 40.0) if needed <= step), _WIDEST_PERCENT)


def _group(comparison: Comparison, rows: Sequence[MetricComparison], drawn: _Drawings, nights: Nights) -> str:
    first = rows[0]
    more = "".join((*_more(comparison, rows, drawn), *nights.curves(first.case_id)))
    opened = " open" if any(row.gates and row.verdict is Verdict.REGRESSED for row in rows) else ""
    folded = f"<tr class=more><td colspan=7><details{opened}><summary>figures</summary>{more}</details>" if more else ""
    title = f"<tr class=g><th colspan=7 scope=rowgroup>{text(first.title or first.case_id)}"
    return f"<tbody id=m-{anchor(first.case_id)}>{title}{''.join(_row(row, drawn) for row in rows)}{folded}"


def _row(row: MetricComparison, drawn: _Drawings) -> str:
    names = [*LETTERS.get(row.verdict, ""), *([] if row.gates else "a")]
    name = "" if not names else f" class={names[0]}" if len(names) == 1 else f' class="{" ".join(names)}"'
    return (
        f"<tr{name}><th>{text(label(row.metric))}<td>{_value(row.old, row.unit)}<td>{_value(row.new, row.unit)}"
        f"<td>{change_shown(row)}<td>{drawn.interval(row)}<td>{drawn.strip(row)}<td>{_verdict(row)}"
    )


def _verdict(row: MetricComparison) -> str:
    """Return the verdict as a word, and below it what a reader must know to judge it."""
    beside = []
    if row.verdict is Verdict.INCONCLUSIVE and row.could_have_seen_percent is not None:
        beside.append(f"could have seen {row.could_have_seen_percent:.1f} %")
    if row.verdict is Verdict.REGRESSED and not row.gates:
        beside.append("advice only")
    if row.accepted:
        beside.append(f"accepted: {row.accepted}")
    if row.source_changed:
        beside.append("the case changed")
    return row.verdict.value + (f"<small>{text('; '.join(beside))}</small>" if beside else "")


def _more(comparison: Comparison, rows: Sequence[MetricComparison], drawn: _Drawings) -> Iterator[str]:
    yield from reasons(rows)
    telling = [row for row in rows if row.verdict in TELLING and row.gates]
    for row in telling[: min(LARGE_A_CASE, drawn.large)]:
        drawn.large -= 1
        yield distribution(label(row.metric), row.unit, row.old_samples, row.new_samples)
    latency = comparison.latencies.get(rows[0].case_id)
    if latency is not None:
        yield latency_curves(latency)
    for row in rows:
        if row.unit == "B":
            yield over_repetitions(label(row.metric), row.unit, row.new_samples)


def _filter(rows: Sequence[MetricComparison]) -> Iterator[str]:
    # What is not shown at first is not counted: a button would promise more than it shows.
    counts = Counter(row.verdict for row in rows if _tells_something(row))
    advice = sum(not row.gates and row.verdict not in TELLING for row in rows)
    yield '<div class="filter" hidden><label>Find <input type="search" data-find placeholder="case or metric"></label>'
    yield '<span role="group" aria-label="Show metrics by verdict">'
    yield '<button type="button" data-only="" aria-pressed="true">all</button>'
    for verdict in ORDER:
        if counts[verdict]:
            yield (
                f'<button type="button" data-only="{verdict.value}" aria-pressed="false">'
                f"{verdict.value} {counts[verdict]:,}</button>"
            )
    yield "</span></div>"
    if advice:
        yield f'<p><label class="check"><input type="checkbox" id="advice"> show {plural(advice, "metric")} that '
        yield "never fail a session and show nothing</label></p>"


def _legend(comparison: Comparison, drawn: _Drawings) -> str:
    return (
        f'<p class="legend dim"><span class="key now"></span>{text(comparison.new_name)} '
        f'<span class="key then"></span>{text(comparison.old_name)} '
        '<span class="key thr"></span>less than the threshold. '
        f"Intervals are drawn up to ± {drawn.percent:g} %. Where no change was shown stands ~.</p>"
    )


def _tells_something(row: MetricComparison) -> bool:
    return row.gates or row.verdict in TELLING


def _is_idle(row: MetricComparison) -> bool:
    """Return whether a row is advice that tells nothing: the number it always was, such as the items of a case."""
    return not row.gates and row.verdict is Verdict.SAME and extent_of(row.old_samples, row.new_samples) is None


def _urgency(row: MetricComparison) -> tuple[bool, int, str, str, int]:
    place = _CATALOGUE.index(row.metric) if row.metric in _CATALOGUE else len(_CATALOGUE)
    return not row.gates, ORDER.index(row.verdict), row.title, row.case_id, place


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    # Counts are exact, so every digit of them is one.
    return f"{value:,.0f}" if not unit and value == int(value) else text(format_value(value, unit))
