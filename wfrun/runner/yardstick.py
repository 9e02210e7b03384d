"""What a session's figures are held against: a baseline, or its commit measured again here where it is of elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wfrun.measure.environment import HARD_KEYS
from wfrun.measure.metrics import METRICS
from wfrun.runner.compare.accepting import with_accepted
from wfrun.runner.compare.coverage import covered_ids
from wfrun.runner.compare.remeasuring import remeasurable
from wfrun.runner.compare.verdicts import MetricComparison, Verdict
from wfrun.runner.options import Trees
from wfrun.runner.record.machine_noise import noise_shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.options import SessionOptions
    from wfrun.runner.record.models import Baseline
    from wfrun.runner.record.surroundings import Surroundings

__all__ = ["Remeasuring", "remeasuring_of", "told"]


@dataclass(frozen=True, slots=True)
class Remeasuring:
    """Whether a baseline of another machine is measured again on this one."""

    baseline: Baseline
    trees: Trees | None
    """The commit to measure beside the working tree; ``None`` where that cannot be."""
    note: str
    """What the reader is told of it."""


def remeasuring_of(
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
