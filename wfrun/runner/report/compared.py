"""A comparison told without a session around it: on the terminal, as JSON and in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.errors import ExitCode, FileError
from wfrun.runner.compare.comparison_record import record_comparison
from wfrun.runner.record.json_text import json_bytes
from wfrun.runner.report.console import print_parts
from wfrun.runner.report.delta_table import delta_table
from wfrun.runner.report.markdown import comparison_markdown
from wfrun.runner.report.report import write_report

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.options import Outputs

__all__ = ["report_comparison"]


def report_comparison(comparison: Comparison, new: Path, outputs: Outputs, console: Console) -> ExitCode:
    """Print the comparison, write the files that were asked for, and return the exit code that follows from it.

    Raises:
        FileError: A file could not be written; everything else was done.
    """
    code = ExitCode.REGRESSION if comparison.failing else ExitCode.OK
    print_parts(console, delta_table(comparison, everything=outputs.verbosity > 0))
    failures: list[str] = []
    if outputs.markdown_path is not None:
        write_report(outputs.markdown_path, lambda: comparison_markdown(comparison).encode("utf-8"), failures)
    if outputs.json_path is not None:
        record = record_comparison(comparison, new, int(code))
        write_report(outputs.json_path, lambda: json_bytes(record), failures)
    if failures:
        raise FileError("; ".join(failures))
    return code
