"""What cases attached to their results, as files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from wfrun.errors import FileError
from wfrun.files import write_atomically
from wfrun.runner.report.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wfrun.runner.run.outcomes import Outcome

__all__ = ["write_attachments"]

_UNSAFE: Final = re.compile(r"[^\w.=\[\],-]+")
LONGEST_NAME: Final = 100


def write_attachments(outcomes: Iterable[Outcome], folder: Path) -> tuple[str, ...]:
    """Write each attachment to ``folder/CASE/NAME`` and return what to tell about it.

    What cannot be written is told, and is no failure: it is in the record all the same.
    """
    written = 0
    taken: set[Path] = set()
    for outcome in outcomes:
        for attachment in outcome.attachments:
            path = folder / _safe(outcome.case.info.id) / _safe(attachment.name)
            while path in taken:
                path = path.with_name(f"{path.stem}-again{path.suffix}")
            taken.add(path)
            try:
                write_atomically(path, attachment.content())
            except FileError as error:
                return (f"an attachment could not be written: {error}",)
            written += 1
    return (f"{plural(written, 'attachment')} in {folder}",) if written else ()


def _safe(name: str) -> str:
    """Return ``name`` as one part of a path: no separators, no way upward."""
    return _UNSAFE.sub("-", name).strip(".-")[:LONGEST_NAME] or "unnamed"
