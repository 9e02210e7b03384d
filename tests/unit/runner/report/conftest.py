"""Stories to report on, and a way to read what a console printed."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from wfrun.authoring.info import CaseInfo, Kind
from wfrun.runner.child.messages import LoadFailure, Status
from wfrun.runner.compare.verdicts import Comparison, MetricComparison, Verdict
from wfrun.runner.discover.discovery import Discovery
from wfrun.runner.plan.planned import Plan, PlannedCase
from wfrun.runner.record.measurements import CaseMeasurements, MetricRecord
from wfrun.runner.record.session_record import OutcomeRecord, Protocol, SessionRecord
from wfrun.runner.report.console import print_parts
from wfrun.runner.report.story import SessionStory
from wfrun.runner.run.outcomes import Outcome, Outcomes, RunResult


class Make:
    """Makes the values that a report is made of, with everything plain that a test does not name."""

    def case(self, title: str = "High-throughput workflow", *, measured: bool = False, **changes: Any) -> PlannedCase:
        info = CaseInfo(
            id=f"load/suite_load::{title.lower().replace(' ', '_').replace('-', '_')}",
            title=title,
            suite_title="Load Testing",
            kinds=(Kind.PERFORMANCE,) if measured else (Kind.E2E,),
            tags=(),
            file=str(Path.cwd() / "suites" / "suite_load.py"),
            line=12,
            parameters={},
            timeout_s=None,
            own_process=False,
            virtual_time=False,
            pinned=True,
            source_hash="abc",
        )
        return PlannedCase(info=info._replace(**changes), measured=measured, seed=99, timeout_s=60.0, session_seed=7)

    def outcome(
        self,
        status: Status = Status.PASSED,
        case: PlannedCase | None = None,
        duration_s: float = 0.412,
        **fields: Any,
    ) -> Outcome:
        return Outcome(case=case or self.case(), status=status, duration_s=duration_s, **fields)

    def plan(self, *cases: PlannedCase, discovered: int | None = None) -> Plan:
        return Plan(cases=cases, seed=7, discovered=len(cases) if discovered is None else discovered)

    def story(
        self,
        *outcomes: Outcome,
        failures: tuple[LoadFailure, ...] = (),
        never_ran: tuple[PlannedCase, ...] = (),
        discovered: int | None = None,
        interrupted: bool = False,
        faults: tuple[str, ...] = (),
        **fields: Any,
    ) -> SessionStory:
        plan = self.plan(*(outcome.case for outcome in outcomes), *never_ran, discovered=discovered)
        return SessionStory(
            discovery=Discovery(files=(), cases=tuple(case.info for case in plan.cases), failures=failures),
            plan=plan,
            result=RunResult(Outcomes(outcomes), interrupted=interrupted, faults=faults, duration_s=1.5),
            **fields,
        )

    def metric(self, verdict: Verdict = Verdict.SAME, **changes: Any) -> MetricComparison:
        metric = MetricComparison(
            case_id="load/suite_load::high",
            title="Load Testing · High",
            metric="wall_time_ns",
            unit="ns",
            better="lower",
            old=1e6,
            new=1.2e6,
            ratio=1.2,
            interval=(1.15, 1.25),
            threshold_percent=5.0,
            gates=True,
            verdict=verdict,
        )
        return replace(metric, **changes)

    def comparison(self, *metrics: MetricComparison, warnings: tuple[str, ...] = ()) -> Comparison:
        return Comparison(Path.cwd() / "baselines" / "main.json", metrics, warnings)

    def record(self, *measured: tuple[str, dict[str, tuple[str, float]]]) -> SessionRecord:
        """Return the record of measured cases: their titles, and for each metric its unit and every sample's value."""
        return SessionRecord(
            created=datetime(2025, 1, 1, tzinfo=UTC),
            tool_version="0.1.0",
            seed=7,
            fingerprint={},
            conditions={},
            source=None,
            protocol=Protocol(generations=2, sampling_s=0.5, min_repetitions=3, max_repetitions=200),
            duration_s=1.5,
            interrupted=False,
            faults=(),
            discovered=len(measured),
            planned=len(measured),
            load_failures=(),
            outcomes=tuple(self._measured(title, figures) for title, figures in measured),
        )

    def _measured(self, title: str, figures: dict[str, tuple[str, float]]) -> OutcomeRecord:
        metrics = {
            name: MetricRecord(
                unit=unit,
                better="lower",
                kind="time",
                floor=value,
                interval=None,
                p50=value,
                p95=value,
                p99=value,
                spread_between_processes_percent=None,
                minimum_detectable_effect_percent=None,
                samples=((value,), (value,)),
            )
            for name, (unit, value) in figures.items()
        }
        return OutcomeRecord(
            id=f"load/suite_load::{title}",
            title=title,
            suite="Load Testing",
            kinds=("performance",),
            tags=(),
            parameters={},
            file="/suites/suite_load.py",
            line=12,
            source_hash="abc",
            seed=99,
            measured=True,
            status=Status.PASSED,
            duration_s=1.0,
            message="",
            details="",
            output="",
            output_dropped_bytes=0,
            items=0,
            notes={},
            unfinished_teardowns=(),
            measurements=CaseMeasurements(metrics=metrics, cores=(0, 1), calibration_ns=((), ())),
        )

    def console(self, width: int = 100, **settings: Any) -> Console:
        return Console(file=io.StringIO(), width=width, **settings)

    def printed(self, console: Console) -> str:
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    def text(self, *parts: RenderableType, width: int = 100) -> str:
        """Return what a console of ``width`` columns prints of them; its markup is on, as in one not made by wfrun."""
        console = self.console(width)
        print_parts(console, parts)
        return self.printed(console)


@pytest.fixture
def make() -> Make:
    return Make()
