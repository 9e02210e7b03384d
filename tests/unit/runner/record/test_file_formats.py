"""docs/file-formats.md is true: every field stands there as the models describe it, and its examples can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from wfrun.measure.metrics import METRICS
from wfrun.runner.compare.comparison_record import ComparisonRecord
from wfrun.runner.record.history_file import read_history
from wfrun.runner.record.models import (
    AcceptedChange,
    AttemptRecord,
    Baseline,
    BaselineCase,
    BaselineSession,
    CaseMeasurements,
    CommandRecord,
    ComparedWith,
    FunctionRecord,
    HistoryAnchor,
    HistoryCase,
    HistoryMetric,
    HistoryNight,
    HistorySession,
    LoadFailureRecord,
    MetricRecord,
    OutcomeRecord,
    Protocol,
    RowRecord,
    SessionRecord,
    SourceRecord,
)
from wfrun.runner.record.store import load_baseline

PAGE = Path(__file__).parents[4] / "docs" / "file-formats.md"
MODELS = (
    SessionRecord,
    OutcomeRecord,
    AttemptRecord,
    CommandRecord,
    ComparedWith,
    CaseMeasurements,
    FunctionRecord,
    MetricRecord,
    SourceRecord,
    Protocol,
    LoadFailureRecord,
    Baseline,
    BaselineSession,
    BaselineCase,
    AcceptedChange,
    ComparisonRecord,
    RowRecord,
    HistoryNight,
    HistorySession,
    HistoryCase,
    HistoryMetric,
    HistoryAnchor,
)


def examples() -> list[str]:
    return re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def rows(model: type[BaseModel]) -> list[str]:
    """The rows of a model's table."""
    return [f"| `{name}` | {field.description} |" for name, field in model.model_fields.items()]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_stands_there_as_the_model_describes_it(model: type[BaseModel]) -> None:
    assert all(field.description for field in model.model_fields.values())
    assert "\n".join(rows(model)) in PAGE.read_text(encoding="utf-8")


def test_every_metric_stands_there_as_it_is_judged() -> None:
    table = "\n".join(
        f"| `{metric.name}` | {metric.unit or 'number'} | {metric.better} | {metric.kind} | "
        f"{'yes' if metric.gates else 'no'} | {metric.threshold_percent:g} % | {metric.meaning} |"
        for metric in METRICS.values()
    )

    assert table in PAGE.read_text(encoding="utf-8")


def test_the_example_of_a_session_is_one() -> None:
    record = SessionRecord.model_validate_json(examples()[0])

    assert [outcome.status.value for outcome in record.outcomes] == ["failed"]


def test_the_example_of_a_baseline_can_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "example.json").write_text(examples()[1], encoding="utf-8")

    baseline = load_baseline(tmp_path / "example.json")

    assert list(baseline.cases()) == ["shop/orders::pay"]


def test_the_example_of_a_history_can_be_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```jsonl\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (tmp_path / "nights.jsonl").write_text(example, encoding="utf-8")

    history = read_history(tmp_path / "nights.jsonl")

    assert history.damage == ()
    assert [list(night.cases) for night in history.nights] == [["shop/orders::pay"]]
    assert len(history.lines) == 2
