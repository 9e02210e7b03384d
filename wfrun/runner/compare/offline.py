"""Two files held against each other, with nothing measured: baselines or records of sessions, in any combination."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wfrun.runner.compare.compare import compare_session
from wfrun.runner.record.either import baseline_from, session_from
from wfrun.runner.record.machine_noise import noise_shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.options import FailOn

__all__ = ["compare_files"]


def compare_files(old: Path, new: Path, thresholds: Mapping[str, float], fail_on: AbstractSet[FailOn]) -> Comparison:
    """Return what the figures in ``new`` say about those in ``old``.

    A regression cannot be measured again here, and the comparison's warnings say so. Every case of the old file counts
    as asked for, because a file does not tell what was selected.

    Raises:
        FileError: A file cannot be read, or holds no figures.
        NothingSelected: A record has no measured case.
    """
    baseline, record = baseline_from(old), session_from(new)
    compared = compare_session(
        record, baseline, thresholds, selected_ids=baseline.cases().keys(), baseline_path=old, fail_on=fail_on
    )
    doubts = [] if not compared.regressed else [_unconfirmed(len({row.case_id for row in compared.regressed}))]
    return replace(
        compared,
        old_name="old",
        new_name="new",
        warnings=(*compared.warnings, *doubts),
        machine_noise=noise_shown(record.conditions),
    )


def _unconfirmed(cases: int) -> str:
    return (
        f"what regressed in {cases} case{'s' * (cases != 1)} is not confirmed: comparing files measures nothing again; "
        "wfrun --performance --compare does"
    )
