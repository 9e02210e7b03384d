"""Percentiles, and the pooled floor: what a code path costs when nothing disturbs it.

On shared machines noise only ever adds time, and one process can be slow for its whole life. Of all estimators tried,
the 5th percentile over the samples of all processes together moves least when the machine has a bad stretch: means and
medians follow the noise, minima follow one lucky sample, and averages of per-process floors follow one slow process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FLOOR_QUANTILE", "Better", "floor_quantile", "percentiles", "pooled_floor"]

Better: TypeAlias = Literal["lower", "higher"]

FLOOR_QUANTILE: Final = 0.05
"""Of samples where lower is better; ``1 - FLOOR_QUANTILE`` where higher is."""


def floor_quantile(better: Better) -> float:
    """Return the quantile, 0 to 1, at which the floor lies: on the side that disturbances do not reach."""
    return FLOOR_QUANTILE if better == "lower" else 1.0 - FLOOR_QUANTILE


def percentiles(values: Sequence[float], percents: Sequence[float]) -> tuple[float, ...]:
    """Return the percentiles of ``values`` in the order of ``percents`` (0 to 100), interpolated between neighbours.

    Raises:
        ValueError: There are no values.
    """
    import numpy as np  # noqa: PLC0415 - numpy takes 120 ms to import, which only a measuring session should pay

    if not values:
        raise ValueError("no values, so no percentile")
    return tuple(float(found) for found in np.percentile(np.asarray(values, dtype=float), list(percents)))


def pooled_floor(processes: Sequence[Sequence[float]], better: Better) -> float:
    """Return the floor of the samples of all processes together; a process with more samples weighs more.

    Raises:
        ValueError: No process has a sample.
    """
    pooled = [sample for process in processes for sample in process]
    return percentiles(pooled, [floor_quantile(better) * 100.0])[0]
