"""A regression is believed when fresh processes show it a second time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wfrun.runner.compare.verdicts import Comparison, Verdict

if TYPE_CHECKING:
    from wfrun.runner.compare.verdicts import MetricComparison
    from wfrun.runner.plan.planned import Plan

__all__ = ["confirmed", "suspects"]


def suspects(plan: Plan, comparison: Comparison) -> Plan:
    """Return the plan of the cases that ``comparison`` found regressed, to be measured once more."""
    case_ids = {metric.case_id for metric in comparison.regressed}
    return replace(plan, cases=tuple(case for case in plan.cases if case.info.id in case_ids))


def confirmed(first: Comparison, second: Comparison) -> Comparison:
    """Return ``first`` with every gating regression replaced by what the second measurement says of it.

    A metric that regressed twice stays regressed; any other takes the second verdict and says that it was not
    confirmed. A case that could not be measured a second time stays regressed.
    """
    again = {(metric.case_id, metric.metric): metric for metric in second.metrics}
    metrics = tuple(
        _judged(metric, again.get((metric.case_id, metric.metric)))
        if metric.gates and metric.verdict is Verdict.REGRESSED
        else metric
        for metric in first.metrics
    )
    return replace(first, metrics=metrics)


def _judged(metric: MetricComparison, again: MetricComparison | None) -> MetricComparison:
    if again is None or again.verdict in {Verdict.REGRESSED, Verdict.MISSING}:
        return metric
    doubt = "regressed at first, and not when measured again in fresh processes"
    return replace(again, warnings=(*again.warnings, doubt))
