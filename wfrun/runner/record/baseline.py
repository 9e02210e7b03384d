"""What ``--baseline`` writes and ``--compare`` reads: the samples a later session is judged against."""

from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue, model_validator

from wfrun.authoring.info import CaseInfo, Kind, Tier
from wfrun.runner.record.measurements import CaseMeasurements, ClosedModel, MetricRecord
from wfrun.runner.record.session_record import Protocol, SourceRecord

__all__ = ["BASELINE_SCHEMA", "AcceptedChange", "Baseline", "BaselineCase", "BaselineSession"]

BASELINE_SCHEMA = 2
"""The newest form of a baseline that this wfrun reads and writes."""


class BaselineCase(ClosedModel):
    """One case that was measured and passed."""

    id: str = Field(description="folder/suite::function[parameter=value]; unique within a session")
    title: str = Field(description="the case's title, with its parameters")
    suite: str = Field(description="the suite's title")
    kinds: tuple[Kind, ...] = Field(description="unit, integration, e2e, performance, stress")
    tier: Tier = Field(default=Tier.STANDARD, description="fast, standard, slow or infrastructure")
    tags: tuple[str, ...] = Field(description="the suite's and the case's")
    parameters: dict[str, str] = Field(description="each parameter's value, as text")
    source_hash: str = Field(description="changes when the text of the case's function does")
    items: int = Field(description="items one repetition worked on; 0 where the case does not count")
    measurements: CaseMeasurements = Field(description="its figures")

    def as_case_info(self) -> CaseInfo:
        """Return the case as far as it is known here, so that a selection can say whether it would have chosen it."""
        return CaseInfo(
            id=self.id,
            title=self.title,
            suite_title=self.suite,
            kinds=self.kinds,
            tags=self.tags,
            tier=self.tier,
            file="",
            line=0,
            parameters=self.parameters,
            timeout_s=None,
            own_process=False,
            virtual_time=False,
            pinned=True,
            source_hash=self.source_hash,
        )


class BaselineSession(ClosedModel):
    """One session that went into the baseline."""

    created: AwareDatetime = Field(description="when the session ended, ISO 8601 with its offset from UTC")
    tool_version: str = Field(description="version of wfrun that measured")
    seed: int = Field(description="seed of the session")
    conditions: dict[str, JsonValue] = Field(description="what the machine was doing: load, memory, limits")
    protocol: Protocol = Field(description="how measured cases were sampled")
    cases: tuple[BaselineCase, ...] = Field(min_length=1, description="in the order they finished")


class AcceptedChange(ClosedModel):
    """A change for the worse that someone decided to live with."""

    case_id: str = Field(description="the case it is about")
    metric: str = Field(description="the metric it is about")
    commit: str = Field(description="commit that was measured with the change; empty where it is not known")
    reason: str = Field(description="why it is worth it")
    accepted_by: str = Field(description="who decided")
    accepted_at: AwareDatetime | None = Field(description="when it was decided; null where it is not known")
    old: float = Field(description="floor before, in the metric's unit")
    new: float = Field(description="floor after, in the metric's unit")
    expires: AwareDatetime | None = Field(description="from when on it counts again; null for never")


class Baseline(ClosedModel):
    """The sessions of one commit on one kind of machine."""

    format: Literal["wfrun-baseline"] = Field(default="wfrun-baseline", description="tells this file from others")
    schema_version: Literal[2] = Field(default=2, description="form of this file")
    created: AwareDatetime = Field(description="when its first session ended, ISO 8601 with its offset from UTC")
    tool_version: str = Field(description="version of wfrun that wrote the file last")
    source: SourceRecord | None = Field(description="the same for every session; null outside a git repository")
    fingerprint: dict[str, JsonValue] = Field(
        description="the machine and interpreter of the first session; cpu_model, cpu_count, architecture and "
        "python_minor are the same for all"
    )
    sessions: tuple[BaselineSession, ...] = Field(min_length=1, description="oldest first")
    spread_between_sessions_percent: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="by case id and metric: standard deviation of the sessions' floors, in percent of their mean; "
        "only where there are two sessions or more",
    )
    accepted: tuple[AcceptedChange, ...] = Field(default=(), description="changes for the worse that were accepted")

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Baseline":
        for session in self.sessions:
            ids = [case.id for case in session.cases]
            twice = sorted({case_id for case_id in ids if ids.count(case_id) > 1}) if len(ids) != len(set(ids)) else []
            if twice:
                raise ValueError(f"{twice[0]!r} is there twice in one session")
        return self

    def cases(self) -> dict[str, BaselineCase]:
        """Return every case by id, as the newest session that has it describes it."""
        return {case.id: case for session in self.sessions for case in session.cases}

    def metric_by_session(self, case_id: str, metric: str) -> tuple[MetricRecord, ...]:
        """Return what each session that measured this metric of this case recorded, oldest first."""
        return tuple(
            case.measurements.metrics[metric]
            for session in self.sessions
            for case in session.cases
            if case.id == case_id and metric in case.measurements.metrics
        )
