"""Latency against load: the same service at growing shares of what it can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wfrun import open_load

if TYPE_CHECKING:
    from wfrun import Clock, OpenLoad

    from .digest_service import DigestService

__all__ = ["Point", "measure_curve"]

PERCENTS: Final = (25, 50, 75, 90)
DURATION_S: Final = 0.15

BACKLOG_S: Final = 0.075
"""Calls in flight are bounded by what saturation answers in this time. A service that really cannot hold the load runs
into that bound within the duration."""

ATTEMPTS: Final = 3
"""A machine that stands still for a tenth of a second makes any service drop calls; not three times in a row."""


@dataclass(frozen=True, slots=True)
class Point:
    """One load and what came of it."""

    percent: int
    """Of the saturation."""
    saturation_per_s: float
    load: OpenLoad
    attempts: int

    def to_json(self) -> dict[str, Any]:
        """Return the point as plain values."""
        load = self.load
        return {
            "load_percent": self.percent,
            "saturation_per_s": round(self.saturation_per_s),
            "rate_per_s": round(load.rate_per_s),
            "due": load.due,
            "dropped": len(load.dropped),
            "attempts": self.attempts,
            "latency_ms": {f"p{percent}": round(load.latency_s(percent) * 1e3, 3) for percent in (50, 90, 99, 100)},
            "slip_ms_p99": round(load.slip_s(99) * 1e3, 3),
        }


async def measure_curve(service: DigestService, saturation_per_s: float, clock: Clock) -> list[Point]:
    """Return a point for each share of the saturation. One with dropped calls is tried again, its saturation anew."""
    curve = []
    for percent in PERCENTS:
        for attempt in range(1, ATTEMPTS + 1):
            load = await open_load(
                saturation_per_s * percent / 100,
                DURATION_S,
                service.ask,
                clock,
                most_in_flight=max(1, round(saturation_per_s * BACKLOG_S)),
            )
            point = Point(percent, saturation_per_s, load, attempt)
            if not load.dropped:
                break
            saturation_per_s = await service.saturation_per_s()
        curve.append(point)
    return curve
