"""Which of a baseline's cases a session would have run, were they still there: only those can be missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.authoring.collect import suites_root
from wfrun.runner.options import DEFAULT_KINDS
from wfrun.runner.plan.selecting import Choices
from wfrun.runner.plan.shards import shard_of, split_suites

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from wfrun.authoring.info import CaseInfo, Kind
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.options import Selection
    from wfrun.runner.record.baseline import Baseline

__all__ = ["covered_ids"]


def covered_ids(
    baseline: Baseline,
    discovery: Discovery,
    paths: Sequence[Path],
    selection: Selection,
) -> frozenset[str]:
    """Return the ids of the baseline's cases that these choices would have measured.

    Args:
        baseline: Whose cases are asked about.
        discovery: What there is now; its files say where ids start from.
        paths: As on the command line; empty for everything under the folders that ids start from.
        selection: As for the plan.
    """
    choices = Choices(selection)
    kinds = selection.kinds or DEFAULT_KINDS
    shard = selection.shard
    split = {} if shard is None else split_suites(filter(choices.wants, discovery.cases), shard.of)
    roots = {suites_root(Path(file)) for file in discovery.files}
    scope = [path.resolve() for path in paths] or list(roots)
    infos = (case.as_case_info() for case in baseline.cases().values())
    return frozenset(
        info.id
        for info in infos
        if _would_be_measured(info, kinds)
        and choices.wants(info)
        and (shard is None or shard_of(info.id, split) == shard.number)
        and any(_suite_file(root, info.id).is_relative_to(path) for root in roots for path in scope)
    )


def _would_be_measured(info: CaseInfo, kinds: Collection[Kind]) -> bool:
    return any(kind.measured for kind in set(info.kinds) & set(kinds))


def _suite_file(root: Path, case_id: str) -> Path:
    """Return the file of a case with this id: ``suites/shop/suite_orders.py`` for ``shop/orders::pay``."""
    place = root / case_id.partition("::")[0]
    return place.with_name(f"suite_{place.name}.py")
