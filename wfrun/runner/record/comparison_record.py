"""What a comparison said, as it is kept: in the record of the session that was compared, or in a file of its own."""

from typing import Literal

from pydantic import Field

from wfrun.runner.record.measurements import ClosedModel

__all__ = ["ComparedWith", "RowRecord"]


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
    verdict: Literal["regressed", "improved", "same", "inconclusive", "not comparable", "missing", "new"] = Field(
        description="regressed, improved, same, inconclusive, not comparable, missing or new; exactly one"
    )
    could_have_seen_percent: float | None = Field(
        description="where the verdict is inconclusive: the smallest change that could have been shown, in percent"
    )
    accepted: str = Field(description="who lives with this change, until when and why; empty for nobody")
    source_changed: bool = Field(description="whether the text of the case is another than then")
    fails: bool = Field(description="whether this row is a reason for exit code 3")
    warnings: tuple[str, ...] = Field(description="doubts about this row, in words")
    why: tuple[str, ...] = Field(
        default=(),
        description="of a metric that regressed, the functions that are likely to be why, in words, the dearest first",
    )
    old_samples: tuple[tuple[float, ...], ...] = Field(
        default=(),
        description="in the record of a session: samples of the old side, one list a process, in unit; those of the "
        "new side are with its outcome",
    )


class ComparedWith(ClosedModel):
    """What a session was held against, and every verdict."""

    baseline: str = Field(description="path of the baseline, or what the other tree is called")
    old_name: str = Field(description="what reports call the old side")
    new_name: str = Field(description="what reports call the new side")
    machine_noise: str = Field(
        description="what the machine was found to call different where nothing is; empty where that is not known"
    )
    warnings: tuple[str, ...] = Field(description="doubts about the comparison as a whole, in words")
    rows: tuple[RowRecord, ...] = Field(description="every metric of every case that was compared")
