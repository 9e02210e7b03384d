"""Which cases failed when they last ran in a folder: what ``--last-failed`` and ``--failed-first`` go by.

Kept in ``.wfrun``, and brought up to date after every session under a lock, so that two sessions in one folder do not
forget each other's failures. A session says something only of the cases that it ran.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, ValidationError

from wfrun.errors import FileError
from wfrun.files import folder_locked, write_atomically
from wfrun.runner.child.messages import Status
from wfrun.runner.record.json_text import json_bytes
from wfrun.runner.record.measurements import ClosedModel
from wfrun.runner.record.store import hide_folder

if TYPE_CHECKING:
    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.options import Shard
    from wfrun.runner.run.outcomes import RunResult

__all__ = ["STATE_FOLDER", "LastFailures", "ReadFailures", "keep_failures", "read_failures"]

STATE_FOLDER: Final = Path(".wfrun")


class LastFailures(ClosedModel):
    """The cases that failed when they last ran here."""

    format: Literal["wfrun-last-failures"] = Field(default="wfrun-last-failures", description="tells this file")
    schema_version: Literal[1] = Field(default=1, description="form of this file")
    failed: dict[str, str] = Field(default_factory=dict, description="suite file of each case that failed, by its id")
    not_loaded: tuple[str, ...] = Field(default=(), description="suite files that did not load")

    def includes(self, case: CaseInfo) -> bool:
        """Return whether ``case`` failed when it last ran, or could not as its file did not load."""
        return case.id in self.failed or case.file in self.not_loaded


@dataclass(frozen=True, slots=True)
class ReadFailures:
    """What was found, and why that may be less than there was."""

    failures: LastFailures
    doubt: str = ""


def read_failures(shard: Shard | None = None, folder: Path = STATE_FOLDER) -> ReadFailures:
    """Return the failures known in ``folder``: none, with a doubt to tell, where the file is damaged.

    Args:
        shard: The sessions of each shard are told apart, and those without shards.
        folder: Where the state is.
    """
    path = _path(folder, shard)
    try:
        return ReadFailures(LastFailures.model_validate_json(path.read_bytes()))
    except FileNotFoundError:
        return ReadFailures(LastFailures())
    except (OSError, ValidationError, ValueError) as error:
        why = (error.strerror or str(error)) if isinstance(error, OSError) else "damaged, or of another version"
        return ReadFailures(LastFailures(), f"{path}, which cases failed last, cannot be read ({why}): it starts anew")


def keep_failures(
    discovery: Discovery,
    result: RunResult,
    *,
    flaky_fails: bool = False,
    shard: Shard | None = None,
    folder: Path = STATE_FOLDER,
) -> str:
    """Bring the failures known in ``folder`` up to date with what ``result`` says.

    Returns:
        An empty text, or what could not be read or kept. That never fails a session.
    """
    try:
        hide_folder(folder)
        with folder_locked(folder):
            known = read_failures(shard, folder)
            updated = _updated(known.failures, discovery, result, flaky_fails=flaky_fails)
            if updated != known.failures or known.doubt:
                write_atomically(_path(folder, shard), json_bytes(updated))
    except (FileError, OSError) as error:
        return f"which cases failed is not kept, so --last-failed will not know: {error}"
    return known.doubt


def _path(folder: Path, shard: Shard | None) -> Path:
    of_shard = "" if shard is None else f"-{shard.number}-of-{shard.of}"
    return folder / f"last-failures{of_shard}.json"


def _updated(known: LastFailures, discovery: Discovery, result: RunResult, *, flaky_fails: bool) -> LastFailures:
    unloaded = {failure.file for failure in discovery.failures}
    looked_at = set(discovery.files)
    there = {case.id for case in discovery.cases}
    failed = {
        case_id: file
        for case_id, file in known.failed.items()
        # A case that was renamed or removed will never pass; one whose file was not looked at may be there.
        if case_id in there or file not in looked_at or file in unloaded
    }
    if failed:
        for outcome in result.outcomes:
            if outcome.status not in {Status.NOT_RUN, Status.INTERRUPTED}:
                failed.pop(outcome.case.info.id, None)
    for outcome in (*result.failed, *(result.flaky if flaky_fails else ())):
        failed[outcome.case.info.id] = outcome.case.info.file
    not_loaded = {file for file in known.not_loaded if file not in looked_at} | unloaded
    return LastFailures(failed=dict(sorted(failed.items())), not_loaded=tuple(sorted(not_loaded)))
