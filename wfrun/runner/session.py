"""One session from paths on disk to an exit code: discover → plan → run → record → compare → report."""

from __future__ import annotations

import asyncio
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wfrun.authoring.targets import available_targets, implementation_of
from wfrun.concurrency.channel import Channel
from wfrun.errors import ExitCode, FileError, NothingSelected, UsageError
from wfrun.runner.compare.comparison_record import compared_with
from wfrun.runner.compare.coverage import covered_ids
from wfrun.runner.confirming import baseline_commit, confirm
from wfrun.runner.planning import discover_cases, plan_cases
from wfrun.runner.record.last import keep_failures
from wfrun.runner.record.loading import load_baseline
from wfrun.runner.record.record import record_session
from wfrun.runner.record.store import refuse_early, resolve_baseline, save_baseline, save_last_session
from wfrun.runner.record.surroundings import look_around
from wfrun.runner.report.artefacts import Artefacts
from wfrun.runner.report.attached import write_attachments
from wfrun.runner.report.commands import Commands, recorded
from wfrun.runner.report.github import GitHub
from wfrun.runner.report.live import make_progress
from wfrun.runner.report.report import report_session, session_console
from wfrun.runner.report.stage_times import StageTimes
from wfrun.runner.report.story import SessionStory
from wfrun.runner.run.in_process import beside_cases
from wfrun.runner.run.measuring import measure_cases
from wfrun.runner.run.reproduce import find_reproductions
from wfrun.runner.run.run import run_plan
from wfrun.runner.yardstick import remeasuring_of, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console

    from wfrun.runner.against.measuring import TreeMeasuring
    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.options import SessionOptions
    from wfrun.runner.plan.planned import Plan
    from wfrun.runner.record.models import Baseline
    from wfrun.runner.record.record import Recording
    from wfrun.runner.record.session_record import SessionRecord
    from wfrun.runner.record.surroundings import Surroundings
    from wfrun.runner.report.commands import Hint
    from wfrun.runner.run.events import RunEvent
    from wfrun.runner.run.measuring import Measuring
    from wfrun.runner.run.outcomes import RunResult
    from wfrun.runner.yardstick import Remeasuring

__all__ = ["run_session"]


def run_session(options: SessionOptions, channel_type: Callable[..., Channel[Any]] = Channel) -> ExitCode:
    """Take one session from paths on disk to an exit code.

    Args:
        options: Every choice of the session.
        channel_type: Makes the channels that cases and outcomes travel through; tests hand in broken ones.

    Raises:
        UsageError: A path, target or baseline that was named is not there.
        NothingSelected: No case fits, or none that is measured where figures were asked for.
        BaselineError: The baseline to compare with cannot be read, or the one to write would not gain this session.
        FileError: A report could not be written; everything else was done.
    """
    outputs = options.outputs
    _check_targets(options.limits.targets)
    yardstick = _yardstick(options)
    console = session_console(outputs.json_path)
    stages = StageTimes()
    with stages.timing("discover"):
        discovery = discover_cases(options)
    with stages.timing("plan"):
        plan, doubts = plan_cases(discovery, options)
    if discovery.shipped and outputs.verbosity >= 0:
        console.print("There is no ./suites here, so these are the suites that come with wfrun.")
    surroundings = _surroundings(discovery, options, stages)
    options, yardstick, remeasuring = _remeasured(options, yardstick, surroundings, console)
    commit = None if yardstick is None else baseline_commit(yardstick[1], surroundings, options, Path.cwd())
    artefacts = Artefacts(options.limits.tools)
    with (
        _trees(options, plan, console.print) as trees,
        make_progress(console, outputs.verbosity, alone=options.limits.tools.capture) as progress,
    ):
        own = measure_cases if trees is None else trees.measure

        def run(
            part: Plan, *, confirming: bool = False, measure: Measuring | None = None
        ) -> tuple[RunResult, Recording]:
            listener = artefacts.listening(progress)
            running = run_plan(
                part, options.limits, listener, channel_type, confirming=confirming, measure=measure or own
            )
            with stages.timing("run"):
                result = beside_cases(running) if options.limits.tools.in_process else asyncio.run(running)
            with stages.timing("record"):
                whole = result.plan or part
                return result, record_session(whole, result, discovery, options, surroundings=surroundings)

        def compare(measured: Recording, part: Plan) -> Comparison:
            return _compare(measured.whole(), yardstick, part, discovery, options, confirmable=commit is not None)

        result, recording = run(plan)
        plan = result.plan or plan
        with stages.timing("run"):
            hints = _hints(result, options, progress)
        recording = replace(recording, commands=recorded(hints))
        with stages.timing("compare"):
            comparison = None if trees is None else trees.comparison()
            if yardstick is not None:
                comparison = compare(recording, plan)
        if yardstick is not None and comparison is not None and comparison.regressed and not result.interrupted:
            comparison, runs = confirm(
                comparison, plan, run, compare, commit=commit, options=options, say=console.print
            )
            result = _with(result, runs)
    comparison = comparison and told(comparison, options, surroundings, remeasuring, discovery)
    with stages.timing("record"):
        notes, problem = _keep_baseline(recording, options)
        code = _exit_code(discovery, result, comparison, problem, flaky_fails=options.limits.flaky_fails)
        recording = recording.ended(int(code), compared_with(comparison))
        doubt = keep_failures(discovery, result, flaky_fails=options.limits.flaky_fails, shard=options.selection.shard)
        notes = tuple(
            dict.fromkeys(note for note in (*doubts, save_last_session(recording.json()), doubt, *notes) if note)
        )
    finished = artefacts.finish(options.selection.kinds)
    attachments = outputs.artefact("attachments")
    attached = () if attachments is None else write_attachments(result.outcomes.told, attachments)
    story = SessionStory(
        discovery=discovery,
        plan=plan,
        result=result,
        record=recording.head,
        recording=recording,
        comparison=comparison,
        notes=(*notes, *finished.notes, *attached),
        table=finished.table,
        known_hints=hints,
        stages_s=stages.seconds if outputs.stats else {},
    )
    report_session(
        story,
        console,
        verbosity=outputs.verbosity,
        junit_path=outputs.junit_path,
        json_path=outputs.json_path,
        html_path=outputs.html_path,
        markdown_path=outputs.markdown_path,
        github=GitHub.around(os.environ, Path.cwd()),
    )
    return code


def _surroundings(discovery: Discovery, options: SessionOptions, stages: StageTimes) -> Surroundings:
    """Look around, and refuse now what could not be written at the end: minutes of measuring are not to end in that."""
    with stages.timing("record"):
        surroundings = look_around(discovery, options.outputs, Path.cwd())
    if options.outputs.baseline_path is not None:
        refuse_early(_resolved(options.outputs.baseline_path), surroundings, replace=options.outputs.replace_baseline)
    return surroundings


def _hints(
    result: RunResult, options: SessionOptions, progress: Callable[[RunEvent], None]
) -> dict[tuple[str, int], list[Hint]]:
    """Return the commands that make each failure come back, by the keys of the cases."""
    if not (result.failed or result.flaky):
        return {}
    commands = Commands(options.command)
    found = asyncio.run(find_reproductions(result, options.limits, progress))
    return {key: commands.hints(reproduction) for key, reproduction in found.items()}


def _trees(
    options: SessionOptions, plan: Plan, say: Callable[[str], None]
) -> AbstractContextManager[TreeMeasuring | None]:
    if options.trees is None:
        return nullcontext()
    # Every other session starts faster without it.
    from wfrun.runner.against.measuring import compared_trees  # noqa: PLC0415

    return compared_trees(options.trees, plan, options.outputs, say)


def _resolved(name: Path) -> Path:
    return resolve_baseline(name, Path.cwd())


def _yardstick(options: SessionOptions) -> tuple[Path, Baseline] | None:
    """Return the baseline to compare with, read before anything runs."""
    if options.outputs.compare_path is None:
        return None
    path = _resolved(options.outputs.compare_path)
    return path, load_baseline(path)


def _remeasured(
    options: SessionOptions, yardstick: tuple[Path, Baseline] | None, surroundings: Surroundings, console: Console
) -> tuple[SessionOptions, tuple[Path, Baseline] | None, Remeasuring | None]:
    """Return the options and the yardstick; for a baseline of another machine, two trees take its place if they can."""
    found = None if yardstick is None else remeasuring_of(*yardstick, surroundings, options, Path.cwd())
    if found is None or found.trees is None:
        return options, yardstick, found
    if options.outputs.verbosity >= 0:
        console.print(found.note.replace(" was measured ", " is measured "), soft_wrap=True)
    return replace(options, trees=found.trees), None, found


def _compare(
    record: SessionRecord,
    yardstick: tuple[Path, Baseline] | None,
    plan: Plan,
    discovery: Discovery,
    options: SessionOptions,
    *,
    confirmable: bool,
) -> Comparison:
    if yardstick is None:
        raise ValueError("no baseline to compare with")
    # Most sessions compare nothing, and start faster without it.
    from wfrun.runner.compare.compare import compare_session  # noqa: PLC0415

    path, baseline = yardstick
    covered = covered_ids(baseline, discovery, options.paths, options.selection)
    return compare_session(
        record,
        baseline,
        options.outputs.thresholds,
        selected_ids=covered | {case.info.id for case in plan.cases},
        baseline_path=path,
        confirmable=confirmable,
    )


def _with(result: RunResult, runs: Iterable[RunResult]) -> RunResult:
    """Return the result with what went wrong when cases were measured again."""
    for again in runs:
        result = replace(
            result,
            interrupted=result.interrupted or again.interrupted,
            faults=(*result.faults, *again.faults),
            fixture_failures=(*result.fixture_failures, *again.fixture_failures),
        )
    return result


def _check_targets(targets: Sequence[tuple[str, str]]) -> None:
    offered = available_targets() if targets else {}
    for name, implementation in targets:
        if name not in offered:
            raise UsageError(f"--target: no system is called {name!r}; there are {', '.join(offered) or 'none'}")
        wanted = implementation_of(implementation)
        if wanted not in offered[name]:
            what = f"takes no {wanted}:// address" if wanted != implementation else f"has no implementation {wanted!r}"
            raise UsageError(f"--target: {name} {what}; there are {', '.join(offered[name])}")


def _keep_baseline(recording: Recording, options: SessionOptions) -> tuple[tuple[str, ...], FileError | None]:
    """Write the baseline; return what to tell about it, and a failure to report at the end."""
    if options.outputs.baseline_path is None:
        return (), None
    path = _resolved(options.outputs.baseline_path)
    try:
        saved = save_baseline(recording.whole(), path, replace=options.outputs.replace_baseline)
    except (FileError, NothingSelected) as error:
        problem = error if isinstance(error, FileError) else FileError(str(error))
        return (f"no baseline was written: {error}",), problem
    sessions = "its first session" if saved.sessions == 1 else f"now {saved.sessions} sessions"
    added = f"{saved.cases} case{'s' * (saved.cases != 1)} added"
    return (f"baseline {path}: {added}, {sessions}", *saved.warnings), None


def _exit_code(
    discovery: Discovery,
    result: RunResult,
    comparison: Comparison | None,
    problem: FileError | None,
    *,
    flaky_fails: bool,
) -> ExitCode:
    if result.interrupted:
        return ExitCode.INTERRUPTED
    if result.faults:
        return ExitCode.INTERNAL
    if result.failed or result.fixture_failures or discovery.failures or (flaky_fails and result.flaky):
        return ExitCode.CASE_FAILED
    if problem is not None:
        return problem.exit_code
    if comparison is not None and comparison.failing:
        return ExitCode.REGRESSION
    return ExitCode.OK
