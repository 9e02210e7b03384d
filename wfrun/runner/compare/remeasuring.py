"""Whether a baseline of another machine can be measured again on this one: its commit has to be here, and tell all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.measure.reading import Reading
from wfrun.measure.source_state import has_commit

if TYPE_CHECKING:
    from pathlib import Path

    from wfrun.runner.record.models import Baseline

__all__ = ["remeasurable"]


def remeasurable(baseline: Baseline, folder: Path) -> Reading[str]:
    """Return the commit whose tree, measured here, says what the baseline would; None with the reason otherwise.

    Args:
        baseline: Taken elsewhere.
        folder: In the repository that is asked for the commit.
    """
    source = baseline.source
    if source is None or source.sha is None:
        return Reading(None, "the baseline names no commit")
    if source.dirty:
        return Reading(None, f"the baseline was taken with uncommitted changes on top of {source.sha[:10]}")
    found, doubt = has_commit(folder, source.sha)
    if not found:
        return Reading(None, doubt or f"commit {source.sha[:10]} is not in this repository; fetch it, with its history")
    return Reading(source.sha)
