"""One set of coverage data from those of all processes, in the forms that people and programs read."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Covered", "combine"]

SHOWN: Final = 12
"""Files with missing lines that are shown, those with the most first."""


@dataclass(frozen=True, slots=True)
class Covered:
    """What was found, for the report."""

    notes: tuple[str, ...]
    table: str = ""


def combine(parts: Path, folder: Path) -> Covered:
    """Combine the data in ``parts`` into ``folder``, and write it there for other programs too.

    What cannot be had is told in the notes; nothing is raised.
    """
    import coverage  # noqa: PLC0415 - an extra that only this needs

    from wfrun.runner.child.tools.coverage import DATA, RUNNING  # noqa: PLC0415 - as above

    lost = _lost(sorted(parts.glob(f"*{RUNNING}")))
    data_file = folder / DATA
    try:
        data_file.unlink(missing_ok=True)
        whole = coverage.Coverage(data_file=str(data_file), messages=False)
        whole.combine([str(parts)])
        whole.save()
        table = _table(whole)
        whole.lcov_report(outfile=str(folder / "lcov.info"))
        whole.xml_report(outfile=str(folder / "coverage.xml"))
    except (coverage.CoverageException, OSError) as error:
        return Covered((*lost, f"there is no coverage: {error}"))
    files = f"coverage: {data_file}, lcov.info, coverage.xml; a page of it: coverage html --data-file={data_file}"
    return Covered((*lost, files), table)


def _table(whole: object) -> str:
    """Return coverage's own table: the files that miss most, and the whole."""
    text = io.StringIO()
    whole.report(  # type: ignore[attr-defined]  # named by its module, which is not imported for its types
        file=text, skip_covered=True, skip_empty=True, show_missing=True, sort="-miss", ignore_errors=True
    )
    lines = text.getvalue().rstrip().splitlines()
    rows = [number for number, line in enumerate(lines) if line.startswith("---")]
    if len(rows) > 1 and rows[1] - rows[0] - 1 > SHOWN:
        more = rows[1] - rows[0] - 1 - SHOWN
        lines[rows[0] + 1 + SHOWN : rows[1]] = [f"and {more} more"]
    return "\n".join(lines)


def _lost(running: list[Path]) -> tuple[str, ...]:
    ids = [file.read_text(encoding="utf-8") for file in running]
    if not ids:
        return ()
    return (f"not in the coverage: what {', '.join(ids)} ran, as the process ended in the middle of it",)
