"""A histogram of whole numbers whose percentiles are within 0.03 % of the truth, however many numbers went in.

Theory of operation, after HDR histograms: a number keeps its 12 leading bits, so numbers below 4096 are exact and a
greater one shares a bucket of 1/2048 to 1/4096 of its size. The bucket's middle stands for all of it: at most
1/4096 = 0.0244 % away. Only buckets that were hit exist. Which bucket a number falls into depends on nothing but the
number, so histograms of parts add up to exactly the histogram of the whole, in any order.
"""

from __future__ import annotations

import math
from collections import Counter
from operator import index
from typing import TYPE_CHECKING, Final

from wfrun.errors import BaselineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Histogram", "HistogramError"]

LEADING_BITS: Final = 12

CHUNK: Final = 8192
"""Numbers counted at once: equal ones are then bucketed together, and the helper's memory stays below a mebibyte."""


class HistogramError(BaselineError, ValueError):
    """Stored pairs that no histogram wrote."""


class Histogram:
    """Counts of whole numbers from 0 up, such as nanoseconds; the least and the greatest are kept exactly."""

    __slots__ = ("_buckets", "_count", "_max", "_min")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}  # by the least number of the bucket
        self._count = 0
        self._min = 0
        self._max = 0

    def record_all(self, values: Sequence[int]) -> None:
        """Add ``values``, which may be any sequence that can be sliced: a list, an array, a range.

        Raises:
            UsageError: One of them is negative; nothing was added.
        """
        if len(values) == 0:
            return
        least, greatest = min(values), max(values)
        if least < 0:
            raise UsageError(f"a histogram holds numbers from 0 up, not {least}; was a clock read that can go back?")
        buckets = self._buckets
        for start in range(0, len(values), CHUNK):
            for value, times in Counter(values[start : start + CHUNK]).items():
                shift = value.bit_length() - LEADING_BITS
                bucket = value >> shift << shift if shift > 0 else value
                buckets[bucket] = buckets.get(bucket, 0) + times
        self._widen(least, greatest)
        self._count += len(values)

    def merge(self, other: Histogram) -> None:
        """Add everything ``other`` holds, as if its numbers had been recorded here; ``other`` is unchanged."""
        if other._count == 0:
            return
        for bucket, times in list(other._buckets.items()):
            self._buckets[bucket] = self._buckets.get(bucket, 0) + times
        self._widen(other._min, other._max)
        self._count += other._count

    @property
    def count(self) -> int:
        """How many numbers were recorded."""
        return self._count

    @property
    def min(self) -> int:
        """The least number recorded, exactly; 0 when there is none."""
        return self._min

    @property
    def max(self) -> int:
        """The greatest number recorded, exactly; 0 when there is none."""
        return self._max

    def percentile(self, percent: float) -> int:
        """Return the least number that at least ``percent`` of 100 of the numbers do not exceed, within 0.03 %.

        Raises:
            UsageError: The histogram is empty, or ``percent`` is not from 0 to 100.
        """
        return self.percentiles((percent,))[0]

    def percentiles(self, percents: Iterable[float]) -> list[int]:
        """Return :meth:`percentile` for each of ``percents``, in their order, with one pass over the buckets.

        Raises:
            UsageError: As for :meth:`percentile`.
        """
        wanted = list(percents)
        ranks = [self._rank(percent) for percent in wanted]
        found: dict[int, int] = {}
        ordered = iter(sorted(self._buckets))
        bucket, seen = 0, 0
        for rank in sorted(set(ranks)):
            while seen < rank:
                bucket = next(ordered)
                seen += self._buckets[bucket]
            found[rank] = min(max(_middle(bucket), self._min), self._max)
        # The two ends are known exactly, so they are given exactly.
        found[1], found[self._count] = self._min, self._max
        return [found[rank] for rank in ranks]

    def to_pairs(self, leading_bits: int = LEADING_BITS) -> list[tuple[int, int]]:
        """Return the histogram as JSON can hold it: first (least, greatest), then (number, times) in rising order.

        Each number is the middle of its bucket, so a reader needs to know nothing of how buckets are cut. Fewer
        ``leading_bits`` make it smaller and coarser: each number is then within 1/2**leading_bits of the truth.
        A hundred thousand latencies spread over two decades take 100 KB with 12 bits, 10 KB with 8, at 0.4 %.

        Raises:
            UsageError: ``leading_bits`` is not from 1 to 12.
        """
        if not 1 <= leading_bits <= LEADING_BITS:
            raise UsageError(f"a histogram has 1 to {LEADING_BITS} leading bits to give, not {leading_bits}")
        if self._count == 0:
            return []
        counts: Counter[int] = Counter()
        for fine, times in self._buckets.items():
            counts[_bucket(fine, leading_bits)] += times
        # The middle of the first or last bucket may lie beyond the end; nothing was seen there.
        return [
            (self._min, self._max),
            *(
                (min(max(_middle(bucket, leading_bits), self._min), self._max), counts[bucket])
                for bucket in sorted(counts)
            ),
        ]

    @classmethod
    def from_pairs(cls, pairs: Iterable[Sequence[int]]) -> Histogram:
        """Return the histogram that :meth:`to_pairs` wrote.

        Raises:
            HistogramError: The pairs contradict each other; the text says how.
        """
        histogram = cls()
        try:
            (least, greatest), *rest = [(index(first), index(second)) for first, second in pairs] or [(0, 0)]
        except (TypeError, ValueError) as error:
            raise HistogramError(f"a histogram is pairs of whole numbers: {error}; take the file anew") from error
        for value, times in rest:
            if times < 1 or not 0 <= least <= value <= greatest:
                raise HistogramError(
                    f"{value} cannot have been seen {times} times between {least} and {greatest}; take the file anew"
                )
            bucket = _bucket(value)
            histogram._buckets[bucket] = histogram._buckets.get(bucket, 0) + times
            histogram._count += times
        if histogram._count == 0 and (least, greatest) != (0, 0):
            raise HistogramError(f"no number lies between the ends {least} and {greatest}; take the file anew")
        histogram._min, histogram._max = least, greatest
        return histogram

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return (self._min, self._max, self._buckets) == (other._min, other._max, other._buckets)

    __hash__ = None  # type: ignore[assignment]  # it changes while it records

    def __repr__(self) -> str:
        return f"<histogram of {self._count} numbers from {self._min} to {self._max} in {len(self._buckets)} buckets>"

    def _rank(self, percent: float) -> int:
        if self._count == 0:
            raise UsageError("an empty histogram has no percentiles; record something first")
        if not 0 <= percent <= 100:
            raise UsageError(f"a percentile is from 0 to 100, not {percent}")
        # 99.9 % of 1000 must be rank 999 although 99.9 has no exact binary form.
        return max(1, math.ceil(round(percent * self._count / 100, 6)))

    def _widen(self, least: int, greatest: int) -> None:
        self._min = min(self._min, least) if self._count else least
        self._max = max(self._max, greatest)


def _bucket(value: int, leading_bits: int = LEADING_BITS) -> int:
    shift = max(0, value.bit_length() - leading_bits)
    return value >> shift << shift


def _middle(bucket: int, leading_bits: int = LEADING_BITS) -> int:
    shift = max(0, bucket.bit_length() - leading_bits)
    return bucket + (1 << shift >> 1)
