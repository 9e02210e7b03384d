"""What was measured of a case, as it is kept on disk."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CaseMeasurements", "ClosedModel", "FunctionRecord", "MetricRecord"]


class ClosedModel(BaseModel):
    """Frozen, without unknown fields, without NaN or infinity: what was written is what can be read."""

    # Built when first used: most sessions start without any of them.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class MetricRecord(ClosedModel):
    """One metric of one case: every sample, and what they come to."""

    unit: str = Field(description="unit of every value here: ns, B, /s, or empty for a plain number")
    better: Literal["lower", "higher"] = Field(description="which direction is the good one")
    kind: Literal["time", "tail", "memory", "count"] = Field(
        description="what the values depend on: time and tail on the machine's speed, memory and count hardly"
    )
    floor: float = Field(
        description="5th percentile over the samples of all processes together, 95th where higher is better, in unit"
    )
    interval: tuple[float, float] | None = Field(
        description="99 % interval of the floor over processes, in unit; null with fewer than two processes"
    )
    p50: float = Field(description="median of all samples together, in unit")
    p95: float = Field(description="95th percentile of all samples together, in unit")
    p99: float = Field(description="99th percentile of all samples together, in unit")
    spread_between_processes_percent: float | None = Field(
        description="standard deviation of the processes' own floors, in percent of their mean; null where undefined"
    )
    minimum_detectable_effect_percent: float | None = Field(
        description="smallest change two sessions as noisy as this one would show, in percent; null where undefined"
    )
    control: float | None = Field(
        default=None,
        description="memory metrics: median of an empty case, in unit, already taken off every sample (never below 0)",
    )
    declared: bool = Field(default=False, description="whether the case declared it, by context.metric")
    threshold_percent: float | None = Field(
        default=None,
        description="declared metrics: smallest change for the worse that fails a comparison, in percent; null for "
        "one that is only shown",
    )
    samples: tuple[tuple[float, ...], ...] = Field(
        description="every sample in the order taken, one list a process, in unit, to five significant digits"
    )


class FunctionRecord(ClosedModel):
    """What one function did in a repetition that was counted."""

    file: str = Field(description="from the session's folder on, or from where libraries lie")
    line: int = Field(description="first line of the function, from 1")
    name: str = Field(description="with the classes and functions it stands in")
    calls: int = Field(description="how often it was called; a coroutine that goes on after a wait counts once more")
    own_ns: int = Field(description="its time with what it called in C, in ns, lengthened by the counting itself")
    allocated_bytes: int = Field(description="memory it asked for, in B; 0 where a repetition makes too many calls")


class CaseMeasurements(ClosedModel):
    """Everything the fresh processes of one measured case reported."""

    metrics: dict[str, MetricRecord] = Field(description="by metric name, as listed under Metrics")
    latency: tuple[tuple[int, int], ...] = Field(
        default=(),
        description="histogram of single operations over all processes, in ns: first [least, greatest], "
        "then [middle of a bucket, operations in it] in rising order; empty where the case recorded none",
    )
    cores: tuple[int | None, ...] = Field(description="the core each process was pinned to; null where it was not")
    calibration_ns: tuple[tuple[float, ...], ...] = Field(
        description="a fixed loop timed around the sampling, in ns, one list a process: how fast the core was then"
    )
    others_share: tuple[float | None, ...] = Field(
        default=(),
        description="the part of all processors' time that other programs took, one number a process: 0.5 is one of "
        "two processors; null where the system does not tell",
    )
    functions: tuple[FunctionRecord, ...] = Field(
        default=(),
        description="what the functions that did most did in one repetition, counted in its own process",
    )
    void: tuple[str, ...] = Field(
        default=(), description="why processes were left out of everything above, one reason each"
    )
