"""One session from paths on disk to an exit code: discover → plan → run → record → compare → report."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wfrun.authoring.targets import available_targets
from wfrun.concurrency.channel import Channel
from wfrun.errors import ExitCode, FileError, NothingSelected, UsageError
from wfrun.runner.compare.compare import compare_session
from wfrun.runner.discover.discover import discover
from wfrun.runner.options import DEFAULT_KINDS
from wfrun.runner.plan.plan import make_plan
from wfrun.runner.plan.planned import Plan
from wfrun.runner.record.loading import load_baseline
from wfrun.runner.record.record import record_session
from wfrun.runner.record.store import resolve_baseline, save_baseline, save_last_session
from wfrun.runner.report.live import make_progress
from wfrun.runner.report.report import report_session, session_console
from wfrun.runner.report.story import SessionStory
from wfrun.runner.run.run import run_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.options import SessionOptions
    from wfrun.runner.record.session_record import SessionRecord
    from wfrun.runner.run.outcomes import RunResult

__all__ = ["list_cases", "run_session"]


def run_session(options: SessionOptions, channel_type: Callable[..., Channel[Any]] = Channel) -> ExitCode:
    """Take one session from paths on disk to an exit code.

    Args:
        options: Every choice of the session.
        channel_type: Makes the channels that cases and outcomes travel through; tests hand in broken ones.

    Raises:
        UsageError: A path, target or baseline that was named is not there.
        NothingSelected: No case fits, or none that is measured where figures were asked for.
        FileError: A report could not be written; everything else was done.
    """
    outputs = options.outputs
    baseline_path = None if outputs.compare_path is None else resolve_baseline(outputs.compare_path, Path.cwd())
    # Read before anything runs: minutes of measuring are not to end in "no such file".
    baseline = None if baseline_path is None else load_baseline(baseline_path)
    _check_targets(options.limits.targets)
    console = session_console(outputs.json_path)
    discovery = asyncio.run(discover(options.paths))
    plan = _plan(discovery, options)
    with make_progress(console, outputs.verbosity) as progress:
        result = asyncio.run(run_plan(plan, options.limits, progress, channel_type))
    record = record_session(plan, result, discovery, options)
    comparison = None
    if baseline is not None and baseline_path is not None:
        comparison = compare_session(
            record,
            baseline,
            outputs.thresholds,
            selected_ids={case.info.id for case in plan.cases},
            baseline_path=baseline_path,
        )
    notes, problem = _keep(record, options)
    story = SessionStory(
        discovery=discovery, plan=plan, result=result, record=record, comparison=comparison, notes=notes
    )
    report_session(
        story,
        console,
        verbosity=outputs.verbosity,
        junit_path=outputs.junit_path,
        json_path=outputs.json_path,
    )
    return _exit_code(discovery, result, comparison, problem)


def list_cases(options: SessionOptions) -> tuple[Discovery, Plan]:
    """Return what there is and what ``options`` select, without running anything.

    Raises:
        UsageError: A path does not exist.
        NothingSelected: No case fits.
    """
    discovery = asyncio.run(discover(options.paths))
    return discovery, _plan(discovery, options)


def _plan(discovery: Discovery, options: SessionOptions) -> Plan:
    selection = options.selection
    try:
        plan = make_plan(
            discovery.cases,
            kinds=selection.kinds or DEFAULT_KINDS,
            pattern=selection.pattern,
            tags=selection.tags,
            seed=selection.seed,
            timeout_s=options.limits.timeout_s,
        )
    except NothingSelected:
        # Suites that do not load are the likelier reason, and must be seen.
        if discovery.failures:
            return Plan((), selection.seed, len(discovery.cases))
        raise
    asked = options.outputs.baseline_path or options.outputs.compare_path
    if asked is not None and not any(case.measured for case in plan.cases):
        raise NothingSelected(f"nothing would be measured for {asked}: no selected case is measured; add --performance")
    return plan


def _check_targets(targets: Sequence[tuple[str, str]]) -> None:
    offered = available_targets() if targets else {}
    for name, implementation in targets:
        if name not in offered:
            raise UsageError(f"--target: no system is called {name!r}; there are {', '.join(offered) or 'none'}")
        if implementation not in offered[name]:
            raise UsageError(
                f"--target: {name} has no implementation {implementation!r}; there are {', '.join(offered[name])}"
            )


def _keep(record: SessionRecord, options: SessionOptions) -> tuple[tuple[str, ...], FileError | None]:
    """Write the last session and the baseline; return what to tell about it, and a failure to report at the end."""
    notes = []
    if warning := save_last_session(record):
        notes.append(warning)
    if options.outputs.baseline_path is None:
        return tuple(notes), None
    path = resolve_baseline(options.outputs.baseline_path, Path.cwd())
    try:
        saved = save_baseline(record, path, replace=options.outputs.replace_baseline)
    except (FileError, NothingSelected) as error:
        problem = error if isinstance(error, FileError) else FileError(str(error))
        return (*notes, f"no baseline was written: {error}"), problem
    sessions = "its first session" if saved.sessions == 1 else f"now {saved.sessions} sessions"
    notes.append(f"baseline {path}: {saved.cases} cases added, {sessions}")
    return (*notes, *saved.warnings), None


def _exit_code(
    discovery: Discovery, result: RunResult, comparison: Comparison | None, problem: FileError | None
) -> ExitCode:
    if result.interrupted:
        return ExitCode.INTERRUPTED
    if result.faults:
        return ExitCode.INTERNAL
    if result.failed or discovery.failures:
        return ExitCode.CASE_FAILED
    if problem is not None:
        return problem.exit_code
    if comparison is not None and comparison.regressed:
        return ExitCode.REGRESSION
    return ExitCode.OK
