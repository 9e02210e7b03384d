"""What a comparison said goes into the record of its session, and can be read back from its JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from wfrun.runner.compare.compare import compare_session
from wfrun.runner.compare.comparison_record import compared_with
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.record.json_text import json_bytes
from wfrun.runner.record.models import RowRecord, SessionRecord

if TYPE_CHECKING:
    from tests.unit.runner.conftest import Maker


def test_every_verdict_is_kept_and_read_back(make: Maker) -> None:
    old = make.record(make.measured({"wall_time_ns": make.processes(1e6), "items": [[1.0]] * 5}))
    new = make.record(make.measured({"wall_time_ns": make.processes(1.2e6, seed=2)}), make.plain(name="other"))
    comparison = compare_session(
        new, make.baseline(old), {}, selected_ids={"suites/load::flow"}, baseline_path=Path("baselines/main.json")
    )

    read = SessionRecord.model_validate_json(
        json_bytes(new.model_copy(update={"comparison": compared_with(comparison)}))
    )

    kept = read.comparison
    assert kept is not None
    assert kept.baseline == "baselines/main.json"
    assert {row.metric: row.verdict for row in kept.rows} == {"wall_time_ns": "regressed", "items": "missing"}
    assert kept.rows[0].interval == comparison.metrics[0].interval
    assert kept.rows[0].old_samples == comparison.metrics[0].old_samples


def test_every_verdict_there_is_can_be_kept() -> None:
    annotation = RowRecord.model_fields["verdict"].annotation

    assert set(get_args(annotation)) == {verdict.value for verdict in Verdict}
