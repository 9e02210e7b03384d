"""A file with figures, whichever of the two it is: the record of a session, or a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from wfrun.errors import FileError, NothingSelected
from wfrun.runner.record.converting import as_baseline, as_session
from wfrun.runner.record.loading import BASELINE_FOLDER, load_baseline
from wfrun.runner.record.reading import load_session
from wfrun.runner.record.store import resolve_baseline

if TYPE_CHECKING:
    from pathlib import Path

    from wfrun.runner.record.models import Baseline, SessionRecord

__all__ = ["baseline_from", "find_figures", "session_from"]


def find_figures(name: Path, cwd: Path) -> Path:
    """Return the file that ``name`` means: the one at this path, or else the baseline of this name."""
    return cwd / name if (cwd / name).is_file() else resolve_baseline(name, cwd)


def baseline_from(path: Path) -> Baseline:
    """Return the figures in ``path`` as what others are judged against.

    Raises:
        FileError: It cannot be read, or is neither a record nor a baseline.
        NothingSelected: It is a record without a case that was measured and passed.
    """
    if not _is_session(path):
        return load_baseline(path)
    try:
        return as_baseline(load_session(path))
    except ValueError as error:
        raise NothingSelected(f"{path} has nothing to judge against: {error}; measure with --performance") from None


def session_from(path: Path) -> SessionRecord:
    """Return the figures in ``path`` as what is judged.

    Raises:
        FileError: It cannot be read, or is neither a record nor a baseline.
        NothingSelected: It is a record in which no case was to be measured.
    """
    if not _is_session(path):
        return as_session(load_baseline(path))
    record = load_session(path)
    if not any(outcome.measured for outcome in record.outcomes):
        raise NothingSelected(f"{path} has nothing to judge: no case was measured; measure with --performance")
    return record


def _is_session(path: Path) -> bool:
    try:
        value = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        if path.parent.name == BASELINE_FOLDER:
            return False  # whoever reads baselines knows which names are near
        raise FileError(f"there is no file {path}; name a baseline, or a record that --json wrote") from None
    except (OSError, orjson.JSONDecodeError):
        return False  # what is wrong with it is said in the words for baselines
    return isinstance(value, dict) and value.get("format") == "wfrun-session"
