"""One session from paths on disk to an exit code: discover → plan → run → record → compare → report."""

from __future__ import annotations

import asyncio
import os
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wfrun.authoring.targets import available_targets, implementation_of
from wfrun.concurrency.channel import Channel
from wfrun.errors import ExitCode, FileError, NothingSelected, UsageError
from wfrun.runner.compare.comparison_record import compared_with
from wfrun.runner.confirming import baseline_commit, confirm
from wfrun.runner.planning import discover_cases, plan_cases
from wfrun.runner.record.last import keep_failures
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
from wfrun.runner.yardstick import held_against, remeasured, told, yardstick_of

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
    prepared = _prepare(options)
    ran = _run(prepared, channel_type)
    kept = _keep(prepared, ran)
    _report(prepared, ran, kept)
    return kept.code


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is known before anything runs."""

    options: SessionOptions
    console: Console
    stages: StageTimes
    discovery: Discovery
    plan: Plan
    doubts: Sequence[str]
    surroundings: Surroundings
    yardstick: tuple[Path, Baseline] | None
    remeasuring: Remeasuring | None
    artefacts: Artefacts


@dataclass(frozen=True, slots=True)
class _Ran:
    """What became of it."""

    plan: Plan
    result: RunResult
    recording: Recording
    hints: dict[tuple[str, int], list[Hint]]
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was written down, and how the session ends."""

    recording: Recording
    code: ExitCode
    notes: tuple[str, ...]


def _prepare(options: SessionOptions) -> _Prepared:
    """Discover, plan and look around; whatever is wrong with what was asked for comes up here."""
    outputs = options.outputs
    _check_targets(options.limits.targets)
    yardstick = yardstick_of(options)
    console = session_console(outputs.json_path)
    stages = StageTimes()
    with stages.timing("discover"):
        discovery = discover_cases(options)
    with stages.timing("plan"):
        plan, doubts = plan_cases(discovery, options)
    if discovery.shipped and outputs.verbosity >= 0:
        console.print("There is no ./suites here, so these are the suites that come with wfrun.")
    surroundings = _surroundings(discovery, options, stages)
    options, yardstick, remeasuring = remeasured(
        options, yardstick, surroundings, partial(console.print, soft_wrap=True)
    )
    artefacts = Artefacts(options.limits.tools)
    return _Prepared(options, console, stages, discovery, plan, doubts, surroundings, yardstick, remeasuring, artefacts)


def _run(prepared: _Prepared, channel_type: Callable[..., Channel[Any]]) -> _Ran:
    """Run the plan, hold its figures against what there is to hold them against, and confirm what looks slower."""
    options, yardstick, say = prepared.options, prepared.yardstick, prepared.console.print
    commit = None
    if yardstick is not None:
        commit = baseline_commit(yardstick[1], prepared.surroundings, options, Path.cwd())

    def compare(measured: Recording, part: Plan, confirmable: bool) -> Comparison:  # noqa: FBT001 - a callback
        return held_against(measured.whole(), yardstick, part, prepared.discovery, options, confirmable=confirmable)

    with (
        _trees(options, prepared.plan, say) as trees,
        make_progress(prepared.console, options.outputs.verbosity, alone=options.limits.tools.capture) as progress,
    ):
        run = _Running(prepared, channel_type, progress, measure_cases if trees is None else trees.measure)
        result, recording = run(prepared.plan)
        plan = result.plan or prepared.plan
        with prepared.stages.timing("run"):
            hints = _hints(result, options, progress)
        recording = replace(recording, commands=recorded(hints))
        with prepared.stages.timing("compare"):
            comparison = None if trees is None else trees.comparison()
            if yardstick is not None:
                comparison = compare(recording, plan, commit is not None)
        if yardstick is not None and comparison is not None and comparison.regressed and not result.interrupted:
            try:
                comparison, runs = confirm(comparison, plan, run, compare, commit=commit, options=options, say=say)
                result = _with(result, runs)
            except KeyboardInterrupt:
                # While the other tree is made nobody listens; what was measured is told all the same.
                result = replace(result, interrupted=True)
    comparison = comparison and told(
        comparison, options, prepared.surroundings, prepared.remeasuring, prepared.discovery
    )
    return _Ran(plan, result, recording, hints, comparison)


@dataclass(frozen=True, slots=True)
class _Running:
    """Runs a plan, or a part of it once more, and records what came of it."""

    prepared: _Prepared
    channel_type: Callable[..., Channel[Any]]
    progress: Callable[[RunEvent], None]
    measure: Measuring
    """Takes the figures, where no other way is asked for."""

    def __call__(
        self, part: Plan, *, confirming: bool = False, measure: Measuring | None = None
    ) -> tuple[RunResult, Recording]:
        prepared, options = self.prepared, self.prepared.options
        listener = prepared.artefacts.listening(self.progress)
        running = run_plan(
            part,
            options.limits,
            listener,
            self.channel_type,
            confirming=confirming,
            measure=measure or self.measure,
        )
        with prepared.stages.timing("run"):
            result = beside_cases(running) if options.limits.tools.in_process else asyncio.run(running)
        with prepared.stages.timing("record"):
            whole, found = result.plan or part, prepared.discovery
            return result, record_session(whole, result, found, options, surroundings=prepared.surroundings)


def _keep(prepared: _Prepared, ran: _Ran) -> _Kept:
    """Write down what later sessions need: the baseline, this session's record, and what failed."""
    options, discovery, result = prepared.options, prepared.discovery, ran.result
    flaky_fails = options.limits.flaky_fails
    with prepared.stages.timing("record"):
        notes, problem = _keep_baseline(ran.recording, options)
        code = _exit_code(discovery, result, ran.comparison, problem, flaky_fails=flaky_fails)
        recording = ran.recording.ended(int(code), compared_with(ran.comparison))
        doubt = keep_failures(discovery, result, flaky_fails=flaky_fails, shard=options.selection.shard)
        found = (*prepared.doubts, save_last_session(recording.json()), doubt, *notes)
    return _Kept(recording, code, tuple(dict.fromkeys(note for note in found if note)))


def _report(prepared: _Prepared, ran: _Ran, kept: _Kept) -> None:
    """Tell everybody who wants to know."""
    outputs = prepared.options.outputs
    finished = prepared.artefacts.finish(prepared.options.selection.kinds)
    attachments = outputs.artefact("attachments")
    attached = () if attachments is None else write_attachments(ran.result.outcomes.told, attachments)
    story = SessionStory(
        discovery=prepared.discovery,
        plan=ran.plan,
        result=ran.result,
        record=kept.recording.head,
        recording=kept.recording,
        comparison=ran.comparison,
        notes=(*kept.notes, *finished.notes, *attached),
        table=finished.table,
        known_hints=ran.hints,
        stages_s=prepared.stages.seconds if outputs.stats else {},
    )
    report_session(
        story,
        prepared.console,
        verbosity=outputs.verbosity,
        junit_path=outputs.junit_path,
        json_path=outputs.json_path,
        html_path=outputs.html_path,
        markdown_path=outputs.markdown_path,
        github=GitHub.around(os.environ, Path.cwd()),
    )


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
