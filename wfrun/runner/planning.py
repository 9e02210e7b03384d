"""The first two stages of a session: discover → plan. Listing cases needs no more than these."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.errors import NothingSelected
from wfrun.runner.discover.cache import DiscoveryCache
from wfrun.runner.discover.discover import DEFAULT_TIMEOUT_S, discover
from wfrun.runner.plan.chosen import failed_cases_first, named_cases, only_failed
from wfrun.runner.plan.plan import choose, make_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.options import SessionOptions
    from wfrun.runner.plan.planned import Plan

__all__ = ["discover_cases", "list_cases", "plan_cases"]


def list_cases(options: SessionOptions, *, explained: bool = False) -> tuple[Discovery, Plan]:
    """Return what there is and what ``options`` select, without running anything.

    Args:
        options: Every choice of the session.
        explained: Whether the reasons in the plan are wanted: then a plan of no case is an answer too.

    Raises:
        UsageError: A path does not exist.
        NothingSelected: No case fits.
    """
    discovery = discover_cases(options)
    if explained:
        return discovery, _planned_by(choose, discovery, options)[0]
    return discovery, plan_cases(discovery, options)[0]


def discover_cases(options: SessionOptions) -> Discovery:
    """Return every case of the paths that were named.

    Raises:
        UsageError: A path does not exist.
    """
    limit_s = options.limits.timeout_s or DEFAULT_TIMEOUT_S
    # Thousands of cases come to stay: what was imported need not be looked through for garbage with them.
    gc.freeze()
    try:
        return asyncio.run(discover(options.paths, timeout_s=limit_s, cache=DiscoveryCache()))
    finally:
        gc.unfreeze()


def plan_cases(discovery: Discovery, options: SessionOptions) -> tuple[Plan, tuple[str, ...]]:
    """Return what runs, and what to tell about how it was chosen.

    Raises:
        NothingSelected: No case fits, or none that is measured where figures were asked for.
    """
    # Where no case fits, suites that do not load are the likelier reason, and must be seen.
    plan, doubts = _planned_by(choose if discovery.failures else make_plan, discovery, options)
    if not plan.cases:
        return plan, doubts
    asked = options.outputs.baseline_path or options.outputs.compare_path
    if options.trees is not None:
        asked = Path(options.trees.against)
    if asked is not None and not any(case.measured for case in plan.cases):
        raise NothingSelected(f"nothing would be measured for {asked}: no selected case is measured; add --performance")
    return plan, doubts


def _planned_by(
    planner: Callable[..., Plan], discovery: Discovery, options: SessionOptions
) -> tuple[Plan, tuple[str, ...]]:
    limits, selection = options.limits, options.selection
    cases, chosen = named_cases(discovery.cases, selection, refuse=not discovery.failures)
    plan = planner(cases, chosen, timeout_s=limits.timeout_s, measure=not limits.tools.distort)
    plan = replace(plan, discovered=len(discovery.cases), new_seeds=limits.new_seeds)
    if not (selection.last_failed or selection.failed_first):
        return plan, ()
    from wfrun.runner.record.last import read_failures  # noqa: PLC0415 - a list without it starts faster

    known = read_failures(selection.shard)
    doubts = (known.doubt,) if known.doubt else ()
    if selection.last_failed:
        plan = only_failed(plan, known.failures.includes)
        if not plan.cases and not discovery.failures and planner is make_plan:
            why = known.doubt or "no case that is looked for here failed when it last ran in this folder"
            raise NothingSelected(f"--last-failed: {why}; run without it")
    return (failed_cases_first(plan, known.failures.includes) if selection.failed_first else plan), doubts
