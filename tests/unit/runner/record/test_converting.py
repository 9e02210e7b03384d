"""A record as a baseline and a baseline as a record: the figures stay what they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wfrun.runner.record.converting import as_baseline, as_session
from wfrun.stats.percentiles import pooled_floor

if TYPE_CHECKING:
    from tests.unit.runner.conftest import Maker


def test_a_record_is_the_baseline_that_it_would_have_made(make: Maker) -> None:
    record = make.record(make.measured({"wall_time_ns": make.processes(1e6)}))

    assert as_baseline(record) == make.baseline(record)


def test_a_record_without_figures_is_no_baseline(make: Maker) -> None:
    with pytest.raises(ValueError, match="no case was measured and passed"):
        as_baseline(make.record(make.plain()))


def test_a_baseline_of_one_session_is_its_record(make: Maker) -> None:
    record = make.record(make.measured({"wall_time_ns": make.processes(1e6)}))

    back = as_session(make.baseline(record))

    assert [o.measurements for o in back.measured_green] == [o.measurements for o in record.measured_green]
    assert (back.fingerprint, back.source, back.protocol) == (record.fingerprint, record.source, record.protocol)


def test_a_baseline_of_several_sessions_is_pooled(make: Maker) -> None:
    records = [make.record(make.measured({"wall_time_ns": make.processes(1e6, seed=seed)})) for seed in (1, 2, 3)]

    (outcome,) = as_session(make.baseline(*records)).measured_green

    assert outcome.measurements is not None
    pooled = outcome.measurements.metrics["wall_time_ns"]
    assert len(pooled.samples) == len(outcome.measurements.cores) == 15
    assert pooled.floor == pytest.approx(pooled_floor(pooled.samples, "lower"), rel=1e-4)
