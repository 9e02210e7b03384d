"""What ``wfrun merge`` does: the records of shards become one, told and judged like the session they are parts of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.cli.places import check_outputs
from wfrun.errors import ExitCode
from wfrun.runner.record.merging import merge_records
from wfrun.runner.record.reading import load_session
from wfrun.runner.report.github import GitHub
from wfrun.runner.report.report import report_session, session_console
from wfrun.runner.report.retelling import story_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.runner.options import Outputs

__all__ = ["merge_files"]


def merge_files(paths: Sequence[Path], outputs: Outputs) -> ExitCode:
    """Merge the records in ``paths``, write what is asked for, and return the merged session's exit code.

    Raises:
        FileError: A record cannot be read, or a file cannot be written.
        UsageError: The records are not parts of one session.
    """
    check_outputs(outputs)
    merged = merge_records({path: load_session(path) for path in paths})
    report_session(
        story_of(merged),
        session_console(outputs.json_path),
        verbosity=outputs.verbosity,
        junit_path=outputs.junit_path,
        json_path=outputs.json_path,
        html_path=outputs.html_path,
        markdown_path=outputs.markdown_path,
        github=GitHub.around(os.environ, Path.cwd()),
    )
    return ExitCode.OK if merged.exit_code is None else ExitCode(merged.exit_code)
