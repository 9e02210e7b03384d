"""Sessions, records and baselines made of plain numbers, for tests of the stages that come after a run."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from wfrun.authoring.info import CaseInfo, Kind
from wfrun.runner.child.messages import Generation, LoadFailure, Status
from wfrun.runner.discover.discovery import Discovery
from wfrun.runner.options import Limits, Outputs, Selection, SessionOptions
from wfrun.runner.plan.planned import Plan, PlannedCase
from wfrun.runner.record.models import Baseline, SessionRecord, SourceRecord
from wfrun.runner.record.record import record_session
from wfrun.runner.record.store import load_baseline, save_baseline
from wfrun.runner.record.surroundings import Surroundings
from wfrun.runner.run.outcomes import Outcome, Outcomes, RunResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic import JsonValue

    from wfrun.runner.record.record import Recording

FINGERPRINT: dict[str, JsonValue] = {
    "cpu_model": "Test CPU",
    "cpu_count": 2,
    "architecture": "x86_64",
    "python_minor": "3.11",
    "python": "3.11.7",
    "kernel": "Linux 6",
}


@dataclass
class Maker:
    """Makes the nouns of a session; what a test does not name has a plain value."""

    folder: Path
    fingerprint: dict[str, JsonValue] = field(default_factory=lambda: dict(FINGERPRINT))
    source: SourceRecord | None = field(
        default_factory=lambda: SourceRecord(sha="c0ffee" * 6 + "c0ff", branch="main", dirty=False, diff_hash=None)
    )

    def info(self, name: str = "flow", **changes: object) -> CaseInfo:
        plain = CaseInfo(
            id=f"suites/load::{name}",
            title=f"Title of {name}",
            suite_title="Load",
            kinds=(Kind.PERFORMANCE,),
            tags=(),
            file="/project/suites/suite_load.py",
            line=1,
            parameters={},
            timeout_s=None,
            own_process=False,
            virtual_time=False,
            pinned=True,
            source_hash="aaaa",
        )
        return plain._replace(**cast("dict[str, Any]", changes))

    def generation(self, samples: Mapping[str, Sequence[float]], **changes: object) -> Generation:
        plain = Generation(samples={name: list(values) for name, values in samples.items()}, cpu=0)
        return replace(plain, **cast("dict[str, Any]", {"calibration_ns": [3e6, 3.1e6], **changes}))

    def measured(
        self,
        metrics: Mapping[str, Sequence[Sequence[float]]],
        *,
        name: str = "flow",
        control: Mapping[str, float] | None = None,
        calibration_ns: float = 3e6,
        others_share: float | None = 0.01,
        **changes: object,
    ) -> Outcome:
        """An outcome with, for each metric, one list of samples a process."""
        count = max(len(processes) for processes in metrics.values())
        generations = tuple(
            self.generation(
                {metric: processes[index] for metric, processes in metrics.items()},
                calibration_ns=[calibration_ns] * 6,
                others_share=others_share,
            )
            for index in range(count)
        )
        empty = () if control is None else (self.generation({metric: [value] for metric, value in control.items()}),)
        case = PlannedCase(self.info(name, **changes), measured=True, seed=1, timeout_s=60.0)
        return Outcome(case, Status.PASSED, 1.0, generations=generations, control=empty)

    def plain(
        self, status: Status = Status.PASSED, *, name: str = "plain", measured: bool = False, **changes: object
    ) -> Outcome:
        """An outcome without figures."""
        case = PlannedCase(self.info(name, kinds=(Kind.E2E,)), measured=measured, seed=1, timeout_s=60.0)
        return replace(Outcome(case, status, 0.25), **cast("dict[str, Any]", changes))

    def surroundings(self) -> Surroundings:
        created = datetime(2025, 5, 17, 10, 0, tzinfo=UTC)
        return Surroundings(created, self.fingerprint, {"load_average": [0.1, 0.1, 0.1]}, self.source, "")

    def record(
        self,
        *outcomes: Outcome,
        interrupted: bool = False,
        faults: tuple[str, ...] = (),
        failures: tuple[LoadFailure, ...] = (),
        limits: Limits | None = None,
    ) -> SessionRecord:
        result = RunResult(Outcomes(outcomes), interrupted=interrupted, faults=faults, duration_s=1.5)
        return self.recording(result, failures, limits).whole()

    def recording(
        self, result: RunResult, failures: tuple[LoadFailure, ...] = (), limits: Limits | None = None
    ) -> Recording:
        cases = tuple(result.outcomes.cases())
        return record_session(
            Plan(cases, seed=7, discovered=len(cases)),
            result,
            Discovery((), tuple(case.info for case in cases), failures),
            SessionOptions((), Selection(), limits or Limits(workers=1), Outputs()),
            surroundings=self.surroundings(),
        )

    def baseline(self, *records: SessionRecord) -> Baseline:
        """The baseline that these sessions make, through the file."""
        path = self.folder / "made.json"
        for position, record in enumerate(records):
            save_baseline(record, path, replace=position == 0)
        return load_baseline(path)

    def processes(
        self,
        floor: float,
        *,
        seed: int = 1,
        count: int = 5,
        samples: int = 40,
        bias: float = 0.002,
        noise: float = 0.05,
    ) -> list[list[float]]:
        """Samples as a shared machine gives them: each process a little off, and noise that only adds."""
        chance = random.Random(seed)
        made = []
        for _ in range(count):
            own = floor * (1 + chance.gauss(0, bias))
            made.append([own * (1 + chance.expovariate(1 / noise)) for _ in range(samples)])
        return made


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    return Maker(tmp_path)
