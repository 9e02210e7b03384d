"""Where the limits of wfrun/stats/nights.py come from: windows of normally distributed nights that nothing changed.

Run it as ``python tests/simulation/history_limits.py``; it takes some minutes and prints the table. Nights are drawn,
spread and centre are taken as the watch takes them, and of each window's excesses the quantile is printed that is
passed by chance as seldom as ``RARITY`` says. With 8 million windows a line, 24 lie beyond the rarest of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from wfrun.stats.nights import REFERENCE_NIGHTS, WINDOWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

KNOWN: Final = (10, 12, 15, 20, 25, 30, 40)
RARITY: Final = (3e-6, 2e-5, 1e-5, 5e-6, 4e-6, 4e-6)
"""By window: how often it may pass by chance, on each side. Two nights are given most, as they decide a step."""
WINDOWS_DRAWN: Final = 8_000_000
BATCH: Final = 20_000
AGAIN: Final = 4
"""Windows held against one and the same past."""
PULL_IN: Final = 2.5
CAP: Final = 2.0


def limits(known: int) -> list[float]:
    """Return the limits of all windows where the spread is known from so many nights."""
    chance = np.random.default_rng((3, known))
    nights = min(REFERENCE_NIGHTS, known)
    beyond: dict[int, list[NDArray[np.float64]]] = {window: [] for window in WINDOWS}
    drawn = 0
    while drawn < WINDOWS_DRAWN:
        past = chance.standard_normal((BATCH, known))
        spread = _qn(past)
        reference = past[:, -nights:]
        middle = np.median(reference, axis=1, keepdims=True)
        reach = PULL_IN * spread[:, None]
        centre = np.clip(reference, middle - reach, middle + reach).mean(axis=1)
        for _ in range(AGAIN):
            following = chance.standard_normal((BATCH, max(WINDOWS)))
            for window in WINDOWS:
                excess = (_capped_mean(following[:, :window], spread) - centre) / (
                    spread * np.sqrt(1 / window + 1 / nights)
                )
                beyond[window].append(excess[excess > 2.5])
        drawn += AGAIN * BATCH
    return [
        float(np.sort(np.concatenate(beyond[window]))[-int(rarity * drawn)])
        for window, rarity in zip(WINDOWS, RARITY, strict=True)
    ]


def _capped_mean(window: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.sort(window, axis=1)
    if values.shape[1] > 1:
        values[:, -1] = np.minimum(values[:, -1], values[:, -2] + CAP * spread)
    mean: NDArray[np.float64] = values.mean(axis=1)
    return mean


def _qn(values: NDArray[np.float64]) -> NDArray[np.float64]:
    count = values.shape[1]
    half = count // 2 + 1
    rank = half * (half - 1) // 2 - 1
    rows, columns = np.triu_indices(count, 1)
    apart = np.abs(values[:, rows] - values[:, columns])
    apart.partition(rank, axis=1)
    spread: NDArray[np.float64] = 2.2219 * count / (count + (1.4 if count % 2 else 3.8)) * apart[:, rank]
    return spread


def main() -> None:
    """Print the table."""
    for known in KNOWN:
        print(f"    {known}: ({', '.join(f'{limit:#.3g}' for limit in limits(known))}),", flush=True)


if __name__ == "__main__":
    main()
