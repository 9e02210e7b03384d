"""Figures drawn as SVG while the page is written: small, in whole pixels, without an axis that would need words.

A page of a hundred cases has a thousand of these, so they are terse: shapes are relative paths, colours and strokes are
classes of the style sheet, and what many share is one symbol that they use. Samples are counted into bins first; how
many there were does not matter to the size of the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["BINS", "INTERVAL_WIDTH", "Extent", "bars", "dots", "extent_of", "interval", "strip", "threshold_symbol"]

WIDTH: Final = 120
MIDDLE: Final = 14
HEIGHT: Final = 12
INTERVAL_WIDTH: Final = 120
BINS: Final = 24
FEW: Final = 40
"""Up to so many samples a side are drawn one by one."""
_TAIL: Final = 0.98
"""A few samples far out would press all others against the edge; what lies beyond is drawn at it."""

Extent = tuple[float, float]


def extent_of(*sides: Sequence[Sequence[float]]) -> Extent | None:
    """Return the range to draw the samples of all sides in; ``None`` where they are all one number, or none."""
    import numpy as np  # noqa: PLC0415 - only a page with figures pays for numpy

    pooled = [np.sort(_pooled(side)) for side in sides if any(side)]
    if not pooled:
        return None
    low = min(float(values[0]) for values in pooled)
    high = max(float(values[-1] if len(values) <= FEW else values[int(_TAIL * (len(values) - 1))]) for values in pooled)
    return (low, high) if high > low else None


def strip(old: Sequence[Sequence[float]], new: Sequence[Sequence[float]], bins: int = BINS) -> str:
    """Return both sides' samples over one another: now upward, then downward; empty where there is nothing to see.

    Args:
        old: One sequence a process; may be empty.
        new: Likewise.
        bins: In how many columns more than a few samples are counted.
    """
    extent = extent_of(old, new)
    if extent is None:
        return ""
    parts = (_side(side, extent, up=up, bins=bins) for side, up in ((old, False), (new, True)) if any(side))
    return f"<svg class=d>{''.join(parts)}</svg>"


def _side(processes: Sequence[Sequence[float]], extent: Extent, *, up: bool, bins: int) -> str:
    pooled = _pooled(processes)
    name = "n" if up else "o"
    if len(pooled) <= FEW:
        return f"<path class={name}p d={dots(pooled, extent, MIDDLE - 5 if up else MIDDLE + 5, WIDTH)} />"
    return f"<path class={name} d={bars(pooled, extent, bins, WIDTH, (MIDDLE, -HEIGHT if up else HEIGHT))} />"


def dots(values: Iterable[float], extent: Extent, y: int, width: int) -> str:
    """Return a path with a point for each value; those that share a pixel are one."""
    low, high = extent
    scale = (width - 8) / (high - low)
    places = sorted({4 + round((min(max(float(value), low), high) - low) * scale) for value in values})
    return "".join(f"M{x},{y}h0" for x in places)


def bars(values: NDArray[np.float64], extent: Extent, bins: int, width: int, axis: tuple[int, int]) -> str:
    """Return the outline of how the values are distributed: ``axis`` is the base line, and how far the peak rises."""
    import numpy as np  # noqa: PLC0415 - as above

    base, rise = axis
    counts = np.histogram(np.clip(values, *extent), bins=bins, range=extent)[0].astype(float)
    smooth = np.convolve(counts, (0.25, 0.5, 0.25), mode="same")
    heights = [round(float(height)) for height in smooth / smooth.max() * rise]
    step = width // (bins + 1)
    path, at, run = [f"M0,{base}"], 0, 0
    letter = "l"
    for height in [*heights, 0]:
        if height == at:
            run += step
            continue
        if run:
            path.append(f"h{run}")
            letter, run = "l", 0
        down = height - at
        path.append(f"{letter}{step}{down if down < 0 else f',{down}'}")
        letter, at = ",", height
    return "".join(path) + "z"


def threshold_symbol(pixels: int) -> str:
    """Return the background of an interval: no change in the middle, and how far a change counts for none."""
    half = INTERVAL_WIDTH // 2
    return (
        f"<symbol id=t{pixels}><rect class=band x={half - pixels} width={2 * pixels} height=20 />"
        f"<path class=zero d=M{half},0v20 /></symbol>"
    )


def interval(low: float, estimate: float, high: float, pixels: int) -> str:
    """Return an interval with its estimate, from -1 at the left edge to 1 at the right; an arrow points beyond."""
    half = INTERVAL_WIDTH // 2
    left, middle, right = (half + round(min(max(value, -1.0), 1.0) * (half - 3)) for value in (low, estimate, high))
    if abs(estimate) > 1:
        mark = f"M{middle - 5},5l5,5l-5,5" if estimate > 0 else f"M{middle + 5},5l-5,5l5,5"
    else:
        mark = f"M{middle},5v10"
    return f"<svg class=v><use href=#t{pixels} /><path d=M{left},10H{max(right, left + 1)}{mark} /></svg>"


def _pooled(processes: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    import numpy as np  # noqa: PLC0415 - as above

    return np.asarray([sample for process in processes for sample in process], dtype=float)
