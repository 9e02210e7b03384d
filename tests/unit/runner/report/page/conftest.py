"""A large session: a hundred measured cases, with everything that wfrun measures, held against a baseline."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from wfrun.measure.histogram import Histogram
from wfrun.measure.metrics import METRICS
from wfrun.runner.child.messages import Status
from wfrun.runner.compare.verdicts import LatencyCompared, MetricComparison, Verdict
from wfrun.runner.report.story import SessionStory

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make

PER_PROCESS: Final = frozenset(
    name
    for name, metric in METRICS.items()
    if metric.kind in {"memory", "count"} or name.startswith(("gc_", "loop_", "latency_", "total_", "throughput_"))
)
SIZES: Final = {"throughput_per_s": 5e5, "peak_rss_bytes": 3e7, "kept_rss_bytes": 2e6, "gc_collections": 40}


class Large:
    """Makes sessions of many measured cases, always the same for the same numbers."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._chance = random.Random(5)

    def story(self, cases: int, metrics: int = len(METRICS)) -> SessionStory:
        """Return a session of ``cases``, each with the first ``metrics`` of the catalogue, and a few regressions."""
        outcomes, rows, latencies, figures = [], [], {}, []
        for number in range(cases):
            title = f"Fan-out over {number} queues, priorities mixed"
            case = self._make.case(title, measured=True, id=f"load/suite_load::fan_out[queues={number}]")
            outcomes.append(self._make.outcome(Status.PASSED, case, duration_s=2.4 + number % 7 / 10))
            figures.append((title, {"wall_time_ns": ("ns", 1e6)}))
            rows += [self._row(case.info.id, title, name, slower=number % 12 == 0) for name in list(METRICS)[:metrics]]
            if metrics > 5:
                latencies[case.info.id] = LatencyCompared(self._pairs(1.0), self._pairs(1.1))
        comparison = self._make.comparison(*rows, warnings=("the kernel differs from the baseline's",))
        comparison = replace(comparison, latencies=latencies)
        return self._make.story(*outcomes, record=self._make.record(*figures), comparison=comparison)

    def _row(self, case_id: str, title: str, name: str, *, slower: bool) -> MetricComparison:
        metric, chance = METRICS[name], self._chance
        size = SIZES.get(name, 1000.0 if name == "items" else 1.6e6) * (1 + chance.random())
        count = 1 if name in PER_PROCESS else 30
        noise = 0.0 if name == "items" else 0.06
        factor = chance.uniform(1.06, 1.3) if slower and noise else chance.gauss(1, 0.004) if noise else 1.0

        def side(scale: float) -> tuple[tuple[float, ...], ...]:
            return tuple(
                tuple(size * scale * (1 + chance.expovariate(1 / noise) if noise else 1.0) for _ in range(count))
                for _ in range(8)
            )

        verdict = (
            Verdict.REGRESSED if factor > 1.05 else Verdict.INCONCLUSIVE if chance.random() < 0.1 else Verdict.SAME
        )
        seen = metric.threshold_percent * 1.4 if verdict is Verdict.INCONCLUSIVE else None
        return MetricComparison(
            case_id=case_id,
            title=title,
            metric=name,
            unit=metric.unit,
            better=metric.better,
            old=size,
            new=size * factor,
            ratio=factor,
            interval=(factor - 0.02 - noise / 9, factor + 0.02 + noise / 9),
            threshold_percent=metric.threshold_percent,
            gates=metric.gates,
            verdict=verdict,
            warnings=(f"only a change of {seen:.1f} % or more could have been shown",) if seen else (),
            old_samples=side(1.0),
            new_samples=side(factor),
            could_have_seen_percent=seen,
        )

    def _pairs(self, factor: float) -> tuple[tuple[int, int], ...]:
        histogram = Histogram()
        histogram.record_all([int(20_000 * factor + self._chance.lognormvariate(9, 1)) for _ in range(400)])
        return tuple(histogram.to_pairs())


@pytest.fixture
def large(make: Any) -> Large:
    return Large(make)
