"""Larger drawings with an axis: a distribution, latency percentiles, a figure over repetitions or over sessions."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

from wfrun.measure.histogram import Histogram
from wfrun.runner.report.page.drawing import FEW, bars, dots, extent_of
from wfrun.runner.report.text import one_line
from wfrun.units import format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.runner.compare.verdicts import LatencyCompared

__all__ = ["SYMBOLS", "distribution", "latency_curves", "over_repetitions", "over_sessions"]

WIDTH: Final = 340
LEFT: Final = 62
"""Where the axis stands; the labels of its ticks are to the left of it."""
TOP: Final = 8
BOTTOM: Final = 150
PERCENTS: Final = (0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9)
LABELLED: Final = (("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9))
MOST_POINTS: Final = 200
TICKS: Final = (0.0, 0.5, 1.0)
_MOST_DECADES: Final = 1.0
"""Values that reach over more than this are drawn on a logarithmic axis."""


def distribution(name: str, unit: str, old: Sequence[Sequence[float]], new: Sequence[Sequence[float]]) -> str:
    """Return how the samples of both sides lie, now above and then below, over an axis with its unit."""
    extent = extent_of(old, new)
    if extent is None:
        return ""
    base, width = 66, WIDTH - 10
    parts = []
    for processes, up in ((old, False), (new, True)):
        pooled = [sample for process in processes for sample in process]
        if not pooled:
            continue
        letter = "n" if up else "o"
        if len(pooled) <= FEW:
            parts.append(f"<path class={letter}p d={dots(pooled, extent, base - 12 if up else base + 12, width)} />")
        else:
            import numpy as np  # noqa: PLC0415 - only a page with figures pays for numpy

            outline = bars(np.asarray(pooled, dtype=float), extent, 36, width, (base, -52 if up else 52))
            parts.append(f"<path class={letter} d={outline} />")
    ticks = [
        f"<text x={x} y=134 class={anchor}>{escape(format_value(value, unit))}</text>"
        for x, value, anchor in ((0, extent[0], "b"), (width // 2, sum(extent) / 2, "m"), (width, extent[1], "e"))
    ]
    body = f"{''.join(parts)}<path class=axis d=M0,{base}H{width} />{''.join(ticks)}"
    return _figure(f"{name}: every sample, now above, then below", f"<g transform=translate(5,0)>{body}</g>", 140)


def latency_curves(latency: LatencyCompared) -> str:
    """Return the latencies of single operations by percentile: from the middle to the tail, each decade as wide."""
    sides = [(name, _percentiles(pairs)) for name, pairs in (("o", latency.old), ("n", latency.new)) if pairs]
    if not sides:
        return ""
    scale = _Scale([value for _, values in sides for value in values], "ns")
    places = [_percentile_place(percent) for percent in PERCENTS]
    lines = "".join(_line(name, places, values, scale) for name, values in sides)
    return _figure("latency by percentile", f"<use href=#pc />{scale.drawn}{lines}", BOTTOM + 24)


def over_repetitions(name: str, unit: str, processes: Sequence[Sequence[float]]) -> str:
    """Return a figure over the repetitions, a line for each process; empty where none has several samples."""
    longer = [process for process in processes if len(process) > 2][:16]
    if not longer:
        return ""
    longest = max(map(len, longer))
    thinned = [_thinned(process, MOST_POINTS // len(longer) + 2) for process in longer]
    scale = _Scale([value for points in thinned for _, value in points], unit)
    lines = "".join(
        _line("thin", [_across(at / (longest - 1)) for at, _ in points], [value for _, value in points], scale)
        for points in thinned
    )
    last = f"<text class=e x={WIDTH - 4} y={BOTTOM + 16}>{longest:,} times</text>"
    ends = f"<text x={LEFT} y={BOTTOM + 16}>first</text>{last}"
    return _figure(f"{name} over the repetitions, a line for each process", f"{scale.drawn}{lines}{ends}", BOTTOM + 24)


def over_sessions(
    name: str, unit: str, values: Sequence[float], days: Sequence[str], changes: Sequence[int] = ()
) -> str:
    """Return a figure over the sessions of a history, the oldest first.

    Args:
        name: What stands below.
        unit: As :func:`format_value` takes it.
        values: One a session.
        days: When each session was, as it is to be shown; as many as values.
        changes: Positions from which on the figure was another.
    """
    if len(values) < 2:
        return ""
    scale = _Scale(values, unit)
    places = [_across(at / (len(values) - 1)) for at in range(len(values))]
    marks = "".join(f"<path class=change d=M{places[at]},{TOP}V{BOTTOM} />" for at in changes if 0 <= at < len(places))
    points = f"M{places[-1]},{scale.y(values[-1])}h0"
    ends = (
        f"<text x={LEFT} y={BOTTOM + 16}>{escape(days[0])}</text>"
        f"<text class=e x={WIDTH - 4} y={BOTTOM + 16}>{escape(days[-1])}</text>"
    )
    body = f"{scale.drawn}{marks}{_line('n', places, values, scale)}<path class=np d={points} />{ends}"
    return _figure(name, body, BOTTOM + 24)


class _Scale:
    """A vertical axis with its ticks; logarithmic where values reach over more than a decade."""

    def __init__(self, values: Sequence[float], unit: str) -> None:
        low, high = min(values), max(values)
        if low == high:
            low, high = low - abs(low or 1.0) * 0.05, high + abs(high or 1.0) * 0.05
        self._logarithmic = low > 0 and math.log10(high / low) > _MOST_DECADES
        self._low, self._high = self._on(low), self._on(high)
        shown = [self._low + (self._high - self._low) * part for part in TICKS]
        ticks = [math.exp(each) if self._logarithmic else each for each in shown]
        self.drawn = "<use href=#gr />" + "".join(
            f"<text class=e x={LEFT - 6} y={_tick_place(part) + 4}>{escape(format_value(tick, unit))}</text>"
            for part, tick in zip(TICKS, ticks, strict=True)
        )

    def y(self, value: float) -> int:
        """Return where a value stands."""
        part = (self._on(value) - self._low) / (self._high - self._low)
        return round(BOTTOM - min(max(part, 0.0), 1.0) * (BOTTOM - TOP))

    def _on(self, value: float) -> float:
        return math.log(value) if self._logarithmic and value > 0 else value


def _tick_place(part: float) -> int:
    return round(BOTTOM - part * (BOTTOM - TOP))


def _line(name: str, places: Sequence[int], values: Sequence[float], scale: _Scale) -> str:
    points = [(x, scale.y(value)) for x, value in zip(places, values, strict=True)]
    return f"<path class={name}l d=M{'L'.join(f'{x},{y}' for x, y in dict.fromkeys(points))} />"


def _percentiles(pairs: Sequence[Sequence[int]]) -> list[int]:
    return Histogram.from_pairs(pairs).percentiles(PERCENTS)


def _percentile_place(percent: float) -> int:
    # The middle gets a third of the width, and each further nine of ten the same.
    decades = -math.log10(1 - percent / 100)
    return _across(decades / 3.0)


def _across(part: float) -> int:
    return round(LEFT + part * (WIDTH - 18 - LEFT))


def _thinned(values: Sequence[float], most: int) -> list[tuple[int, float]]:
    step = max(1, math.ceil(len(values) / most))
    kept = list(range(0, len(values), step))
    if kept[-1] != len(values) - 1:
        kept.append(len(values) - 1)
    return [(at, values[at]) for at in kept]


def _figure(caption: str, body: str, height: int) -> str:
    told = escape(one_line(caption))
    return f'<figure><svg class=c viewBox="0 0 {WIDTH} {height}">{body}</svg><figcaption>{told}</figcaption></figure>'


SYMBOLS: Final = (
    "<symbol id=gr>"
    + "".join(f"<path class=grid d=M{LEFT},{_tick_place(part)}H{WIDTH - 4} />" for part in TICKS)
    + "</symbol><symbol id=pc>"
    + "".join(
        f"<path class=grid d=M{_percentile_place(percent)},{TOP}V{BOTTOM} />"
        f"<text class=m x={_percentile_place(percent)} y={BOTTOM + 16}>{shown}</text>"
        for shown, percent in LABELLED
    )
    + "</symbol>"
)
"""What the drawings share; to stand once on a page, before them."""
