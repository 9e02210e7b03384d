"""What looks slower than the baseline is measured once more before it fails a session, in the surest way there is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from wfrun.errors import FileError, UsageError
from wfrun.runner.compare.confirm import confirmed, confirmed_beside, suspects
from wfrun.runner.compare.remeasuring import remeasurable
from wfrun.runner.options import Trees

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from wfrun.runner.compare.confirm import Key
    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.options import SessionOptions
    from wfrun.runner.plan.planned import Plan, PlannedCase
    from wfrun.runner.record.models import Baseline
    from wfrun.runner.record.record import Recording
    from wfrun.runner.record.surroundings import Surroundings
    from wfrun.runner.run.measuring import Measuring
    from wfrun.runner.run.outcomes import RunResult

__all__ = ["Running", "baseline_commit", "confirm"]


class Running(Protocol):
    """Runs part of a session's plan."""

    def __call__(
        self, part: Plan, *, confirming: bool = False, measure: Measuring | None = None
    ) -> tuple[RunResult, Recording]:
        """Return what became of it; ``measure`` takes the figures, where it is not the session's own way."""


def baseline_commit(
    baseline: Baseline, surroundings: Surroundings, options: SessionOptions, folder: Path
) -> str | None:
    """Return the baseline's commit, where measuring it beside the working tree says whether the code got slower.

    It does not where other packages are installed than then: these would be on both sides, and may be the reason.
    """
    there, here = (each.fingerprint.get("dependencies_hash") for each in (baseline, surroundings))
    if there != here or options.limits.tools.in_process:
        return None
    return remeasurable(baseline, folder).value


def confirm(
    first: Comparison,
    plan: Plan,
    run: Running,
    compare: Callable[[Recording, Plan, bool], Comparison],
    *,
    commit: str | None,
    options: SessionOptions,
    say: Callable[[str], None],
) -> tuple[Comparison, tuple[RunResult, ...]]:
    """Return the comparison with what the second measurement says of each regression, and the runs that took.

    Args:
        first: Against the baseline.
        plan: What it compares.
        run: Runs cases of the plan again.
        compare: Holds what was measured again against the baseline; told whether that is confirmed in pairs yet.
        commit: Measured beside the working tree; ``None`` to measure the working tree alone once more.
        options: Of the session.
        say: Told what takes a while.
    """
    shown: AbstractSet[Key] = frozenset()
    runs: tuple[RunResult, ...] = ()
    again = suspects(plan, first)
    if commit is not None:
        again = replace(again, cases=_as_at(commit, again.cases, first))
    if commit is not None and again.cases:
        try:
            # Every other session starts faster without it.
            from wfrun.runner.against.measuring import compared_trees  # noqa: PLC0415

            with compared_trees(
                Trees(against=commit, budget_s=options.pairs_budget_s), again, options.outputs, say
            ) as trees:
                result, _ = run(again, confirming=True, measure=trees.measure)
                runs = (result,)
                if not result.interrupted:
                    first, shown = confirmed_beside(first, trees.comparison(), commit)
        except (UsageError, FileError) as error:
            why = str(error).removeprefix("--against: ")
            if options.outputs.verbosity >= 0:
                say(f"The baseline's commit cannot be measured beside the working tree: {why}")
    again = suspects(plan, first, shown)
    if again.cases and not any(result.interrupted for result in runs):
        result, recording = run(again, confirming=True)
        first = confirmed(first, compare(recording, again, False), shown)  # noqa: FBT003 - as the caller names it
        runs = (*runs, result)
    return first, runs


def _as_at(commit: str, cases: Sequence[PlannedCase], first: Comparison) -> tuple[PlannedCase, ...]:
    """Return the cases that are the same at ``commit``, with all that their suites import from beside them.

    Both sides of a pair run the working tree's suites, so what has become slower in these shows on neither.
    """
    from wfrun.runner.against.git import changed_since, project_of  # noqa: PLC0415 - most sessions confirm nothing
    from wfrun.runner.against.overlay import suite_places  # noqa: PLC0415 - as above

    rewritten = {metric.case_id for metric in first.metrics if metric.source_changed}
    project = project_of(Path.cwd())
    kept = []
    for case in cases:
        file = Path(case.info.file)
        changed = changed_since(project, commit, suite_places((file,), project))
        helpers = [path for path in changed if path == file or not path.match("suite_*.py")]
        if case.info.id not in rewritten and not helpers:
            kept.append(case)
    return tuple(kept)
