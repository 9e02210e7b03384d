"""What a session's figures are held against: a baseline, or its commit measured again here where it is of elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.measure.environment import HARD_KEYS
from wfrun.measure.metrics import METRICS
from wfrun.runner.compare.accepting import with_accepted
from wfrun.runner.compare.coverage import covered_ids
from wfrun.runner.compare.remeasuring import remeasurable
from wfrun.runner.compare.verdicts import MetricComparison, Verdict
from wfrun.runner.options import Trees
from wfrun.runner.record.loading import load_baseline
from wfrun.runner.record.machine_noise import noise_shown
from wfrun.runner.record.store import resolve_baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.options import SessionOptions
    from wfrun.runner.plan.planned import Plan
    from wfrun.runner.record.models import Baseline, SessionRecord
    from wfrun.runner.record.surroundings import Surroundings

__all__ = ["Remeasuring", "held_against", "remeasured", "told", "yardstick_of"]


@dataclass(frozen=True, slots=True)
class Remeasuring:
    """Whether a baseline of another machine is measured again on this one."""

    baseline: Baseline
    trees: Trees | None
    """The commit to measure beside the working tree; ``None`` where that cannot be."""
    note: str
    """What the reader is told of it."""


def yardstick_of(options: SessionOptions) -> tuple[Path, Baseline] | None:
    """Return the baseline to compare with, read before anything runs."""
    if options.outputs.compare_path is None:
        return None
    path = resolve_baseline(options.outputs.compare_path, Path.cwd())
    return path, load_baseline(path)


def _remeasuring_of(
    path: Path, baseline: Baseline, surroundings: Surroundings, options: SessionOptions, folder: Path
) -> Remeasuring | None:
    """Return how a baseline of another kind of machine is dealt with; ``None`` for one of this kind.

    Args:
        path: Of the baseline, for the reader.
        baseline: What to compare with.
        surroundings: Of this session.
        options: Its choices: a session that records figures has to be measured alone.
        folder: In the repository that may have the commit.
    """
    there, here = baseline.fingerprint, surroundings.fingerprint
    differing = [key.replace("_", " ") for key in HARD_KEYS if there.get(key) != here.get(key)]
    if not differing:
        return None
    elsewhere = f"{path.name} is of another machine ({', '.join(differing)} differ)"
    if options.outputs.baseline_path is not None:
        why_not = "this session records a baseline too, for which it has to measure alone"
        return Remeasuring(baseline, None, f"{elsewhere}, and is not measured again here: {why_not}")
    commit, why_not = remeasurable(baseline, folder)
    if commit is None:
        return Remeasuring(baseline, None, f"{elsewhere}, and cannot be measured again here: {why_not}")
    told = f"{elsewhere}, so its commit {commit[:10]} was measured again here, beside the working tree"
    return Remeasuring(baseline, Trees(against=commit, budget_s=options.pairs_budget_s), told)


def remeasured(
    options: SessionOptions,
    yardstick: tuple[Path, Baseline] | None,
    surroundings: Surroundings,
    say: Callable[[str], None],
) -> tuple[SessionOptions, tuple[Path, Baseline] | None, Remeasuring | None]:
    """Return the options and the yardstick; for a baseline of another machine, two trees take its place if they can."""
    found = None if yardstick is None else _remeasuring_of(*yardstick, surroundings, options, Path.cwd())
    if found is None or found.trees is None:
        return options, yardstick, found
    if options.outputs.verbosity >= 0:
        say(found.note.replace(" was measured ", " is measured "))
    return replace(options, trees=found.trees), None, found


def held_against(
    record: SessionRecord,
    yardstick: tuple[Path, Baseline] | None,
    plan: Plan,
    discovery: Discovery,
    options: SessionOptions,
    *,
    confirmable: bool,
) -> Comparison:
    """Return what the session's record says about the baseline's cases.

    Args:
        record: Of all cases, or of those that were measured again.
        yardstick: The baseline with its path.
        plan: The cases that were measured.
        discovery: All cases there are.
        options: Of the session.
        confirmable: As :func:`~wfrun.runner.compare.compare.compare_session` takes it.

    Raises:
        ValueError: There is no yardstick.
    """
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


def told(
    comparison: Comparison,
    options: SessionOptions,
    surroundings: Surroundings,
    remeasuring: Remeasuring | None,
    discovery: Discovery,
) -> Comparison:
    """Return ``comparison`` with what the session knows beside it: what fails, what was accepted, its machine.

    Two trees know nothing of cases that both lack; those of the baseline are missing here too.
    """
    if remeasuring is not None and remeasuring.trees is not None:
        rows = with_accepted(
            comparison.metrics, remeasuring.baseline.accepted, surroundings.created, other_machine=True
        )
        gone = _gone(remeasuring.baseline, options, discovery)
        comparison = replace(comparison, metrics=(*rows, *_missing(remeasuring.baseline, gone)))
    return replace(
        comparison,
        fail_on=options.outputs.fail_on,
        machine_noise=noise_shown(surroundings.conditions),
        warnings=(*((remeasuring.note,) if remeasuring is not None else ()), *comparison.warnings),
    )


def _gone(baseline: Baseline, options: SessionOptions, discovery: Discovery) -> AbstractSet[str]:
    here = {case.id for case in discovery.cases}
    return covered_ids(baseline, discovery, options.paths, options.selection) - here


def _missing(baseline: Baseline, case_ids: AbstractSet[str]) -> Iterable[MetricComparison]:
    for case_id, case in baseline.cases().items():
        if case_id not in case_ids:
            continue
        for name, metric in case.measurements.metrics.items():
            gates = METRICS[name].gates if name in METRICS else metric.threshold_percent is not None
            yield MetricComparison(
                case_id=case_id,
                title=case.title,
                metric=name,
                unit=metric.unit,
                better=metric.better,
                old=metric.floor,
                new=None,
                ratio=None,
                interval=None,
                threshold_percent=0.0,
                gates=gates,
                verdict=Verdict.MISSING,
            )
