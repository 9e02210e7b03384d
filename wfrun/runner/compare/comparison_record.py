"""What ``wfrun compare --json`` writes: a comparison of two files, row by row."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from wfrun.runner.compare.verdicts import Comparison, Verdict
from wfrun.runner.options import FailOn
from wfrun.runner.record.measurements import ClosedModel

__all__ = ["ComparisonRecord", "RowRecord", "record_comparison"]


class RowRecord(ClosedModel):
    """One metric of one case, then and now."""

    case_id: str = Field(description="folder/suite::function[parameter=value]")
    title: str = Field(description="the case's title, with its parameters")
    metric: str = Field(description="as listed under Metrics, or declared by the case")
    unit: str = Field(description="unit of old and new: ns, B, /s, or empty for a plain number")
    better: str = Field(description="which direction is the good one: lower or higher")
    old: float | None = Field(description="floor then, in unit; null where there is none")
    new: float | None = Field(description="floor now, in unit; null where there is none")
    ratio: float | None = Field(description="new / old; null where either is missing or zero, or nothing is judged")
    interval: tuple[float, float] | None = Field(description="99 % interval of the ratio, over processes")
    threshold_percent: float = Field(description="what the change had to reach to count, in percent")
    gates: bool = Field(description="whether this metric can fail a comparison")
    verdict: Verdict = Field(
        description="regressed, improved, same, inconclusive, not comparable, missing or new; exactly one"
    )
    could_have_seen_percent: float | None = Field(
        description="where the verdict is inconclusive: the smallest change that could have been shown, in percent"
    )
    accepted: str = Field(description="who lives with this change, until when and why; empty for nobody")
    source_changed: bool = Field(description="whether the text of the case is another than then")
    fails: bool = Field(description="whether this row is a reason for exit code 3")
    warnings: tuple[str, ...] = Field(description="doubts about this row, in words")


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
    failing = {(row.case_id, row.metric) for row in comparison.failing}
    return ComparisonRecord(
        old=str(comparison.baseline_path),
        new=str(new),
        fail_on=tuple(sorted(comparison.fail_on)),
        exit_code=exit_code,
        machine_noise=comparison.machine_noise,
        warnings=comparison.warnings,
        rows=tuple(
            RowRecord(
                case_id=row.case_id,
                title=row.title,
                metric=row.metric,
                unit=row.unit,
                better=row.better,
                old=row.old,
                new=row.new,
                ratio=row.ratio,
                interval=row.interval,
                threshold_percent=row.threshold_percent,
                gates=row.gates,
                verdict=row.verdict,
                could_have_seen_percent=row.could_have_seen_percent,
                accepted=row.accepted,
                source_changed=row.source_changed,
                fails=(row.case_id, row.metric) in failing,
                warnings=row.warnings,
            )
            for row in comparison.metrics
        ),
    )
