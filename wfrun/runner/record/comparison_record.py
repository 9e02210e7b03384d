"""What a comparison said, as it is kept in the record of the session that was compared."""

from typing import Literal

from pydantic import Field

from wfrun.runner.record.measurements import ClosedModel

__all__ = ["ComparedMetric", "ComparisonRecord"]


class ComparedMetric(ClosedModel):
    """One metric of one case, then and now."""

    case_id: str = Field(description="the case it is about")
    title: str = Field(description="the case's title")
    metric: str = Field(description="the metric's name")
    unit: str = Field(description="unit of every value here: ns, B, /s, or empty for a plain number")
    better: Literal["lower", "higher"] = Field(description="which direction is the good one")
    verdict: Literal["regressed", "improved", "same", "inconclusive", "not comparable", "missing", "new"] = Field(
        description="regressed, improved, same, inconclusive, not comparable, missing or new"
    )
    gates: bool = Field(description="whether a regression fails the session")
    old: float | None = Field(description="what was then, in unit; null where there is none")
    new: float | None = Field(description="what is now, in unit; null where there is none")
    ratio: float | None = Field(description="now by then; null where either is missing or zero")
    interval: tuple[float, float] | None = Field(description="of the ratio, over processes; null where unknown")
    threshold_percent: float = Field(description="what a change had to reach to count, in percent")
    could_have_seen_percent: float | None = Field(
        description="smallest change that could have been shown where none was, in percent; null where unknown"
    )
    accepted: str = Field(default="", description="who lives with this change, until when and why; empty for nobody")
    source_changed: bool = Field(default=False, description="whether the text of the case is another than then")
    warnings: tuple[str, ...] = Field(default=(), description="doubts about this verdict")
    old_samples: tuple[tuple[float, ...], ...] = Field(
        default=(), description="samples of the old side, one list a process, in unit; the new ones are in the outcome"
    )


class ComparisonRecord(ClosedModel):
    """What the session was held against, and every verdict."""

    baseline: str = Field(description="the file of the baseline, or what the other tree is called")
    old_name: str = Field(description="what readers call the old side")
    new_name: str = Field(description="what readers call the new side")
    metrics: tuple[ComparedMetric, ...] = Field(description="every metric of every case that was compared")
    warnings: tuple[str, ...] = Field(default=(), description="doubts about the whole comparison")
