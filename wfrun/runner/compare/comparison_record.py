"""What ``wfrun compare --json`` writes, and what a session's record keeps of its comparison: row by row."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from wfrun.runner.compare.verdicts import Comparison
from wfrun.runner.options import FailOn
from wfrun.runner.record.comparison_record import ComparedWith, RowRecord
from wfrun.runner.record.measurements import ClosedModel

__all__ = ["ComparisonRecord", "compared_with", "record_comparison"]

_SAME = tuple(name for name in RowRecord.model_fields if name not in {"verdict", "fails", "old_samples", "why"})


class ComparisonRecord(ClosedModel):
    """Two files held against each other."""

    format: Literal["wfrun-comparison"] = Field(default="wfrun-comparison", description="tells this file from others")
    schema_version: Literal[1] = Field(default=1, description="form of this file")
    old: str = Field(description="path of the file that was judged against")
    new: str = Field(description="path of the file that was judged")
    fail_on: tuple[FailOn, ...] = Field(
        description="what was to fail the comparison: regressed, inconclusive, not-comparable, missing, new or changed"
    )
    exit_code: int = Field(description="0, or 3 where a row fails")
    machine_noise: str = Field(
        description="what the machine was found to call different where nothing is; empty where that is not known"
    )
    warnings: tuple[str, ...] = Field(description="doubts about the comparison as a whole, in words")
    rows: tuple[RowRecord, ...] = Field(description="case by case, in the order of the old file, then what is new")


def record_comparison(comparison: Comparison, new: Path, exit_code: int) -> ComparisonRecord:
    """Return ``comparison`` as it can be kept."""
    return ComparisonRecord(
        old=str(comparison.baseline_path),
        new=str(new),
        fail_on=tuple(sorted(comparison.fail_on)),
        exit_code=exit_code,
        machine_noise=comparison.machine_noise,
        warnings=comparison.warnings,
        rows=_rows(comparison),
    )


def compared_with(comparison: Comparison | None) -> ComparedWith | None:
    """Return ``comparison``, where there was one, as its session's record keeps it: with old samples."""
    if comparison is None:
        return None
    return ComparedWith(
        baseline=str(comparison.baseline_path),
        old_name=comparison.old_name,
        new_name=comparison.new_name,
        machine_noise=comparison.machine_noise,
        warnings=comparison.warnings,
        rows=_rows(comparison, samples=True),
    )


def _rows(comparison: Comparison, *, samples: bool = False) -> tuple[RowRecord, ...]:
    failing = {(row.case_id, row.metric) for row in comparison.failing}
    return tuple(
        RowRecord(
            **{name: getattr(row, name) for name in _SAME},
            verdict=row.verdict.value,
            why=tuple(change.describe() for change in row.why),
            fails=(row.case_id, row.metric) in failing,
            old_samples=row.old_samples if samples else (),
        )
        for row in comparison.metrics
    )
