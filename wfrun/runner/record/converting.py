"""A session's record taken for a baseline, and a baseline for a session, so that any two files can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.measure.histogram import Histogram
from wfrun.runner.child.messages import Status
from wfrun.runner.record.baseline import Baseline
from wfrun.runner.record.figures import pooled_record
from wfrun.runner.record.measurements import CaseMeasurements
from wfrun.runner.record.session_record import OutcomeRecord, SessionRecord
from wfrun.runner.record.store import baseline_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.runner.record.baseline import BaselineCase
    from wfrun.runner.record.measurements import MetricRecord

__all__ = ["as_baseline", "as_session"]


def as_baseline(record: SessionRecord) -> Baseline:
    """Return the baseline of this session alone; only cases that were measured and passed are in it.

    Raises:
        ValueError: There is no such case.
    """
    if not record.measured_green:
        raise ValueError("no case was measured and passed")
    return Baseline(
        created=record.created,
        tool_version=record.tool_version,
        source=record.source,
        fingerprint=record.fingerprint,
        sessions=(baseline_session(record),),
    )


def as_session(baseline: Baseline) -> SessionRecord:
    """Return one session in which every case of the baseline passed; the samples of its sessions are pooled."""
    newest = baseline.sessions[-1]
    cases = baseline.cases()
    return SessionRecord(
        created=newest.created,
        tool_version=newest.tool_version,
        seed=newest.seed,
        fingerprint=baseline.fingerprint,
        conditions=newest.conditions,
        source=baseline.source,
        source_doubt="",
        protocol=newest.protocol,
        duration_s=0.0,
        interrupted=False,
        faults=(),
        discovered=len(cases),
        planned=len(cases),
        load_failures=(),
        outcomes=tuple(_outcome(baseline, case) for case in cases.values()),
    )


def _outcome(baseline: Baseline, case: BaselineCase) -> OutcomeRecord:
    measured = [found.measurements for session in baseline.sessions for found in session.cases if found.id == case.id]
    return OutcomeRecord(
        id=case.id,
        title=case.title,
        suite=case.suite,
        kinds=case.kinds,
        tier=case.tier,
        tags=case.tags,
        parameters=case.parameters,
        file="",
        line=0,
        source_hash=case.source_hash,
        seed=baseline.sessions[-1].seed,
        measured=True,
        status=Status.PASSED,
        duration_s=0.0,
        message="",
        details="",
        output="",
        output_dropped_bytes=0,
        items=case.items,
        notes={},
        unfinished_teardowns=(),
        measurements=case.measurements if len(measured) == 1 else _pooled(measured),
    )


def _pooled(measured: Sequence[CaseMeasurements]) -> CaseMeasurements:
    names = dict.fromkeys(name for one in measured for name in one.metrics)
    latency = Histogram()
    for one in measured:
        if one.latency:
            latency.merge(Histogram.from_pairs(one.latency))
    metrics: dict[str, MetricRecord] = {
        name: pooled_record([one.metrics[name] for one in measured if name in one.metrics]) for name in names
    }
    return CaseMeasurements(
        metrics=metrics,
        latency=tuple((first, second) for first, second in latency.to_pairs()),
        cores=tuple(core for one in measured for core in one.cores),
        calibration_ns=tuple(process for one in measured for process in one.calibration_ns),
        others_share=tuple(share for one in measured for share in one.others_share),
        functions=measured[-1].functions,
        void=tuple(reason for one in measured for reason in one.void),
    )
