"""What ``wfrun compare`` does: two files with figures are held against each other, and nothing is measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.cli.places import check_outputs
from wfrun.runner.compare.offline import compare_files
from wfrun.runner.record.either import find_figures
from wfrun.runner.report.compared import report_comparison
from wfrun.runner.report.report import session_console

if TYPE_CHECKING:
    from wfrun.errors import ExitCode
    from wfrun.runner.options import Outputs

__all__ = ["compare_old_and_new"]


def compare_old_and_new(old: str, new: str, outputs: Outputs) -> ExitCode:
    """Compare the two files, tell and write what is asked for, and return the exit code.

    Raises:
        FileError: A file cannot be read or written.
        NothingSelected: A record has no measured case.
    """
    check_outputs(outputs)
    cwd = Path.cwd()
    found_old, found_new = (find_figures(Path(name), cwd) for name in (old, new))
    comparison = compare_files(found_old, found_new, outputs.thresholds, outputs.fail_on)
    return report_comparison(comparison, found_new, outputs, session_console(outputs.json_path))
