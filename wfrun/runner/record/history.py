"""What a history holds: a line a night, and what one metric of one case did from night to night.

A history is read as a whole and only ever added to. Nights on machines that differ in the hard part of their
fingerprint cannot be held against each other: they form series of their own, told apart by ``machine``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue, model_validator

from wfrun.authoring.info import CaseInfo, Kind, Tier
from wfrun.runner.record.measurements import ClosedModel
from wfrun.runner.record.session_record import SourceRecord

__all__ = [
    "HISTORY_SCHEMA",
    "Damage",
    "History",
    "HistoryAnchor",
    "HistoryCase",
    "HistoryMetric",
    "HistoryNight",
    "HistorySession",
    "Night",
    "Series",
    "machines_of",
    "nights_on",
    "series_of",
    "series_on",
]

HISTORY_SCHEMA = 1
"""The newest form of a line of a history that this wfrun reads and writes."""


class HistoryMetric(ClosedModel):
    """One metric of one case in one night."""

    unit: str = Field(description="unit of every value here: ns, B, /s, or empty for a plain number")
    better: Literal["lower", "higher"] = Field(description="which direction is the good one")
    kind: str = Field(description="what the values depend on: time, tail, memory or count")
    gates: bool = Field(description="whether a change for the worse fails a check")
    threshold_percent: float = Field(description="how far above its anchor the metric may creep, in percent")
    slack: float = Field(default=0.0, description="an absolute change below this is none, in unit")
    floor: float = Field(
        description="mean of the sessions' floors, of three or more without the least and the greatest, in unit"
    )
    interval: tuple[float, float] | None = Field(
        description="the sessions' 99 % intervals taken together in the same way, in unit; null where one has none"
    )
    floors: tuple[float, ...] = Field(min_length=1, description="the floor of each session of the night, in unit")


class HistoryCase(ClosedModel):
    """One case that was measured and passed in every session of the night."""

    title: str = Field(description="the case's title, with its parameters")
    suite: str = Field(description="the suite's title")
    kinds: tuple[Kind, ...] = Field(description="unit, integration, e2e, performance, stress")
    tier: Tier = Field(default=Tier.STANDARD, description="fast, standard, slow or infrastructure")
    tags: tuple[str, ...] = Field(description="the suite's and the case's")
    source_hash: str = Field(description="changes when the text of the case's function does")
    metrics: dict[str, HistoryMetric] = Field(description="by metric name")


class HistorySession(ClosedModel):
    """One of the sessions that a night is made of."""

    created: AwareDatetime = Field(description="when the session ended, ISO 8601 with its offset from UTC")
    seed: int = Field(description="seed of the session")
    duration_s: float = Field(description="seconds that the session took")


class HistoryNight(ClosedModel):
    """What one night measured: one session, or several of the same commit on the same machine."""

    format: Literal["wfrun-night"] = Field(default="wfrun-night", description="tells this line from others")
    schema_version: Literal[1] = Field(default=1, description="form of this line")
    created: AwareDatetime = Field(description="when its last session ended, ISO 8601 with its offset from UTC")
    tool_version: str = Field(description="version of wfrun that wrote the line")
    source: SourceRecord | None = Field(description="the same for every session; null outside a git repository")
    machine: str = Field(description="hash of the fingerprint below: nights of another one are another series")
    fingerprint: dict[str, JsonValue] = Field(description="cpu_model, cpu_count, architecture and python_minor")
    sessions: tuple[HistorySession, ...] = Field(min_length=1, description="what the night is made of, oldest first")
    cases: dict[str, HistoryCase] = Field(min_length=1, description="by id, in the order they finished")

    @model_validator(mode="after")
    def _sessions_have_their_floors(self) -> "HistoryNight":
        for case_id, case in self.cases.items():
            for name, metric in case.metrics.items():
                if len(metric.floors) > len(self.sessions):
                    raise ValueError(f"{case_id!r}, {name}: more floors than the night has sessions")
        return self


class HistoryAnchor(ClosedModel):
    """Someone's word that the level which every series has now is what later nights are held against."""

    format: Literal["wfrun-anchor"] = Field(default="wfrun-anchor", description="tells this line from others")
    schema_version: Literal[1] = Field(default=1, description="form of this line")
    created: AwareDatetime = Field(description="when it was decided, ISO 8601 with its offset from UTC")
    tool_version: str = Field(description="version of wfrun that wrote the line")
    reason: str = Field(min_length=1, description="why the level of now is accepted")


@dataclass(frozen=True, slots=True)
class Damage:
    """A line that was skipped, and why; it stays in the file."""

    line: int
    """Counted from 1."""
    why: str


@dataclass(frozen=True, slots=True)
class History:
    """The lines of a history, as far as they could be read, oldest first."""

    lines: tuple[HistoryNight | HistoryAnchor, ...]
    damage: tuple[Damage, ...] = ()

    @property
    def nights(self) -> tuple[HistoryNight, ...]:
        """The nights of every machine."""
        return tuple(line for line in self.lines if isinstance(line, HistoryNight))


@dataclass(frozen=True, slots=True)
class Night:
    """One night of one series."""

    created: datetime
    commit: str | None
    """Whole; ``None`` outside a git repository."""
    dirty: bool
    value: float
    """The night's floor, in the unit of the series."""
    interval: tuple[float, float] | None
    sessions: int
    source_hash: str


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one case on one machine, from night to night."""

    case_id: str
    case: CaseInfo
    """As the newest night describes the case; file and line are not known."""
    metric: str
    unit: str
    better: Literal["lower", "higher"]
    gates: bool
    threshold_percent: float
    slack: float
    machine: str
    nights: tuple[Night, ...]
    """Oldest first; never empty. A night in which the case was not measured is not there."""
    anchors: tuple[int, ...] = ()
    """After how many of the nights the level was accepted by ``wfrun history anchor``."""
    among_cases: int = 1
    """How many cases the newest night of this machine has: the more there are, the rarer each must move by chance."""
    absent: int = 0
    """How many nights of this machine followed the last one of this series, without this metric."""

    @property
    def values(self) -> tuple[float, ...]:
        """The floor of each night, oldest first, in ``unit``."""
        return tuple(night.value for night in self.nights)


def series_of(history: History, case_id: str, metric: str, machine: str | None = None) -> Series | None:
    """Return what one metric of one case did from night to night.

    The values to draw are ``series.nights[i].value`` with ``.interval``, ``.created`` and ``.commit``, oldest first;
    change points, band and anchor of a series are found by :func:`wfrun.runner.compare.nights.look_at`.

    Args:
        history: As :func:`wfrun.runner.record.history_file.read_history` returned it.
        case_id: The whole id of the case.
        metric: The metric's name.
        machine: Which machine's nights; ``None`` for the machine of the newest night.

    Returns:
        The series, or ``None`` where no night of that machine measured it.
    """
    found = [each for each in series_on(history, machine) if each.case_id == case_id and each.metric == metric]
    return found[0] if found else None


def machines_of(history: History) -> tuple[str, ...]:
    """Return the machines that have nights, that of the newest night first."""
    return tuple(dict.fromkeys(night.machine for night in reversed(history.nights)))


def nights_on(history: History, machine: str) -> tuple[HistoryNight, ...]:
    """Return the nights of one machine, oldest first."""
    return tuple(night for night in history.nights if night.machine == machine)


def series_on(history: History, machine: str | None = None) -> tuple[Series, ...]:
    """Return every series of one machine, in the order its newest nights have them.

    Args:
        history: What was read.
        machine: ``None`` for that of the newest night.
    """
    chosen = machine or next(iter(machines_of(history)), None)
    nights = nights_on(history, str(chosen))
    keys = dict.fromkeys(
        (case_id, metric)
        for night in reversed(nights)
        for case_id, case in night.cases.items()
        for metric in case.metrics
    )
    collected: dict[tuple[str, str], _Collected] = {key: _Collected() for key in keys}
    count = 0
    for line in history.lines:
        if isinstance(line, HistoryAnchor):
            for each in collected.values():
                each.accept()
        elif line.machine == chosen:
            count += 1
            for case_id, case in line.cases.items():
                for metric in case.metrics:
                    collected[case_id, metric].add(line, case, metric, count)
    cases = len(nights[-1].cases) if nights else 0
    return tuple(
        each.as_series(case_id, metric, nights[-1].machine, count, cases)
        for (case_id, metric), each in collected.items()
    )


class _Collected:
    """The nights of one series while the lines of a history go by."""

    def __init__(self) -> None:
        self.nights: list[Night] = []
        self.anchors: list[int] = []
        self.newest: tuple[HistoryCase, HistoryMetric] | None = None
        self.last_night = 0

    def accept(self) -> None:
        if self.nights:
            self.anchors.append(len(self.nights))

    def add(self, line: HistoryNight, case: HistoryCase, metric: str, number: int) -> None:
        self.last_night = number
        found = case.metrics[metric]
        if self.newest is not None and (self.newest[1].unit, self.newest[1].better) != (found.unit, found.better):
            # The metric was declared anew in another unit: what was before cannot be held against it.
            self.nights, self.anchors = [], []
        self.newest = (case, found)
        source = line.source
        self.nights.append(
            Night(
                created=line.created,
                commit=None if source is None else source.sha,
                dirty=source is not None and source.dirty,
                value=found.floor,
                interval=found.interval,
                sessions=len(found.floors),
                source_hash=case.source_hash,
            )
        )

    def as_series(self, case_id: str, metric: str, machine: str, nights: int, cases: int) -> Series:
        if self.newest is None:
            raise ValueError(f"no night has {metric} of {case_id}")
        case, found = self.newest
        return Series(
            case_id=case_id,
            case=_case_info(case_id, case),
            metric=metric,
            unit=found.unit,
            better=found.better,
            gates=found.gates,
            threshold_percent=found.threshold_percent,
            slack=found.slack,
            machine=machine,
            nights=tuple(self.nights),
            anchors=tuple(self.anchors),
            among_cases=cases,
            absent=nights - self.last_night,
        )


def _case_info(case_id: str, case: HistoryCase) -> CaseInfo:
    return CaseInfo(
        id=case_id,
        title=case.title,
        suite_title=case.suite,
        kinds=case.kinds,
        tags=case.tags,
        tier=case.tier,
        file="",
        line=0,
        parameters={},
        timeout_s=None,
        own_process=False,
        virtual_time=False,
        pinned=True,
        source_hash=case.source_hash,
    )
