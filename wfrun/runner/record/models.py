"""The files wfrun promises to keep readable, in one place: the session record, the baseline and the history."""

from wfrun.runner.record.baseline import AcceptedChange, Baseline, BaselineCase, BaselineSession
from wfrun.runner.record.comparison_record import ComparedWith, RowRecord
from wfrun.runner.record.history import HistoryAnchor, HistoryCase, HistoryMetric, HistoryNight, HistorySession
from wfrun.runner.record.measurements import CaseMeasurements, FunctionRecord, MetricRecord
from wfrun.runner.record.session_record import (
    AttemptRecord,
    CommandRecord,
    LoadFailureRecord,
    OutcomeRecord,
    Protocol,
    SessionRecord,
    SourceRecord,
)

__all__ = [
    "AcceptedChange",
    "AttemptRecord",
    "Baseline",
    "BaselineCase",
    "BaselineSession",
    "CaseMeasurements",
    "CommandRecord",
    "ComparedWith",
    "FunctionRecord",
    "HistoryAnchor",
    "HistoryCase",
    "HistoryMetric",
    "HistoryNight",
    "HistorySession",
    "LoadFailureRecord",
    "MetricRecord",
    "OutcomeRecord",
    "Protocol",
    "RowRecord",
    "SessionRecord",
    "SourceRecord",
]
