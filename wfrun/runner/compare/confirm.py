"""A regression is believed when fresh processes show it a second time.

Where the baseline's commit is here, they are pairs of it and the working tree: what slowed the machine down since the
baseline was recorded slows both halves down, twice in a row too, and only the code tells them apart. Where it is not,
or a case cannot be run at that commit, the session's own cases are measured once more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from wfrun.measure.metrics import METRICS
from wfrun.runner.compare.verdicts import Comparison, Verdict

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from wfrun.runner.compare.verdicts import MetricComparison
    from wfrun.runner.plan.planned import Plan

__all__ = ["Key", "confirmed", "confirmed_beside", "suspects"]

Key: TypeAlias = tuple[str, str]
"""A case's id and a metric."""


def suspects(plan: Plan, comparison: Comparison, known: AbstractSet[Key] = frozenset()) -> Plan:
    """Return the plan of the cases that ``comparison`` found regressed, and that are not ``known`` to be."""
    case_ids = {metric.case_id for metric in comparison.regressed if _key(metric) not in known}
    return replace(plan, cases=tuple(case for case in plan.cases if case.info.id in case_ids))


def confirmed(first: Comparison, second: Comparison, known: AbstractSet[Key] = frozenset()) -> Comparison:
    """Return ``first`` with every gating regression replaced by what the second measurement says of it.

    A metric that regressed twice stays regressed; any other takes the second verdict and says that it was not
    confirmed. A case that could not be measured a second time stays regressed, and so do those ``known`` to be.
    """
    again = {_key(metric): metric for metric in second.metrics}
    metrics = tuple(
        _judged(metric, again.get(_key(metric))) if _red(metric) and _key(metric) not in known else metric
        for metric in first.metrics
    )
    return replace(first, metrics=metrics)


def confirmed_beside(first: Comparison, pairs: Comparison, commit: str) -> tuple[Comparison, AbstractSet[Key]]:
    """Return ``first`` with every gating regression that pairs did not show, and which ones they did show.

    What the pairs say nothing of stays as it is, and is left to be measured again in another way.

    Args:
        first: Against the baseline.
        pairs: The working tree against the baseline's commit, measured now.
        commit: The baseline's, for the reader.
    """
    again = {_key(metric): metric for metric in pairs.metrics if _says_something(metric)}
    doubt = f"regressed against the baseline, but not beside its commit {commit[:10]}, which was measured now too"
    metrics = tuple(_seen_beside(metric, again.get(_key(metric)), doubt) for metric in first.metrics)
    shown = {key for key, beside in again.items() if beside.verdict is Verdict.REGRESSED}
    return replace(first, metrics=metrics), shown


def _says_something(metric: MetricComparison) -> bool:
    """Return whether pairs answer what the baseline asked.

    They do not where too few could be taken for an interval. Nor do they of memory: a pair's processes are short, and
    what theirs is counted above is nothing, where a session's is above that of an empty case.
    """
    known = METRICS.get(metric.metric)
    if known is not None and known.kind == "memory":
        return False
    if metric.verdict is Verdict.INCONCLUSIVE:
        return metric.interval is not None
    return metric.verdict in {Verdict.REGRESSED, Verdict.IMPROVED, Verdict.SAME}


def _key(metric: MetricComparison) -> Key:
    return metric.case_id, metric.metric


def _red(metric: MetricComparison) -> bool:
    return metric.gates and metric.verdict is Verdict.REGRESSED


def _seen_beside(metric: MetricComparison, beside: MetricComparison | None, doubt: str) -> MetricComparison:
    if not _red(metric) or beside is None or beside.verdict is Verdict.REGRESSED:
        return metric
    return replace(beside, warnings=(*beside.warnings, doubt), source_changed=metric.source_changed)


def _judged(metric: MetricComparison, again: MetricComparison | None) -> MetricComparison:
    if again is None or again.verdict in {Verdict.REGRESSED, Verdict.MISSING}:
        return metric
    doubt = "regressed at first, and not when measured again in fresh processes"
    return replace(again, warnings=(*again.warnings, doubt))
