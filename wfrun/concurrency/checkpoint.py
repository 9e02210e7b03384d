"""State that survives a kill: the last good checkpoint wins, and a damaged one is told.

A file is one line of JSON, the header, and one line of JSON, the state. The header's ``sha256`` covers the rest of the
header and the state, byte by byte, so that no flipped bit passes for a newer format, another sequence or other data.
What must stay true in every later format: the first line is a JSON object with ``format``, ``version`` and, as its last
key, ``sha256``, and the checksum is made in this way. Then an old reader can tell "newer than I know" from "damaged".
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wfrun.errors import FileError, UsageError
from wfrun.files import read_bytes, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "CheckpointStore",
    "DamagedCheckpoint",
    "LoadedCheckpoint",
    "NewerCheckpoint",
]

FORMAT: Final = "wfrun-checkpoint"
VERSION: Final = 1
_NAME = re.compile(r"checkpoint-([0-9]{12,})\.json")


class CheckpointError(FileError):
    """A checkpoint that cannot be saved or read as asked."""


class NewerCheckpoint(CheckpointError):
    """An intact file of a format this version does not know. Older checkpoints are not used behind its back."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A saved state."""

    sequence: int
    state: Any
    path: Path


@dataclass(frozen=True, slots=True)
class DamagedCheckpoint:
    """A file that was passed over, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class LoadedCheckpoint:
    """What a folder holds."""

    latest: Checkpoint | None
    """The good checkpoint of the highest sequence; ``None`` when there is no good one."""
    damaged: tuple[DamagedCheckpoint, ...] = ()
    """Files newer than ``latest`` that could not be used, newest first: work since then is to be done again."""


class CheckpointStore:
    """Numbered checkpoints in one folder, written by one process at a time.

    Saving waits for the disk; in an event loop call it through ``asyncio.to_thread``.

    Args:
        folder: Made at the first save if it is missing.
        keep: Checkpoints kept, at least 1; more than one, so that a damaged one costs little.
    """

    def __init__(self, folder: Path, keep: int = 3) -> None:
        if keep < 1:
            raise UsageError(f"keep={keep} would keep no checkpoint; give at least 1")
        self.folder: Final = folder
        self.keep: Final = keep

    def save(self, state: Any, sequence: int) -> Checkpoint:  # noqa: ANN401 - any JSON value
        """Write ``state`` and only then remove checkpoints that are no longer kept.

        A kill at any moment leaves the earlier checkpoints whole. Saving a sequence again replaces it. A damaged file
        of a higher sequence is renamed to ``….damaged``, so that it can be looked at but is in nobody's way.

        Raises:
            CheckpointError: ``state`` would not come back as it is (JSON has no tuples, NaN or keys other than text);
                or a good checkpoint of a higher sequence exists, so this one would never be loaded.
            FileError: The file cannot be written; the earlier ones are whole.
        """
        path = self._path(sequence)
        content = _encode(state, sequence)
        self._clear_way(sequence)
        write_atomically(path, content)
        self._prune()
        return Checkpoint(sequence, state, path)

    def load_latest(self) -> LoadedCheckpoint:
        """Return the last good checkpoint, and every newer file that is damaged.

        Raises:
            NewerCheckpoint: The newest intact file was written by a later version.
            FileError: A file cannot be read for another reason than its content.
        """
        damaged: list[DamagedCheckpoint] = []
        for path in reversed(self._paths()):
            found = _decode(path, read_bytes(path))
            if isinstance(found, Checkpoint):
                return LoadedCheckpoint(found, tuple(damaged))
            damaged.append(found)
        return LoadedCheckpoint(None, tuple(damaged))

    # Helpers

    def _path(self, sequence: int) -> Path:
        if sequence < 0:
            raise UsageError(f"sequence {sequence} is negative; count checkpoints from 0")
        return self.folder / f"checkpoint-{sequence:012d}.json"

    def _paths(self) -> list[Path]:
        """Return the files that are checkpoints by name, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted((path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)), key=_sequence_of)

    def _clear_way(self, sequence: int) -> None:
        for path in self._paths():
            if _sequence_of(path) <= sequence:
                continue
            if isinstance(_decode(path, read_bytes(path)), Checkpoint):
                raise CheckpointError(
                    f"{path} is newer than sequence {sequence}, which would never be loaded; "
                    "go on from load_latest(), or remove the newer files to go back"
                )
            path.rename(path.with_name(path.name + ".damaged"))

    def _prune(self) -> None:
        """Remove what is not kept, and what a killed save left half-written."""
        leftovers = list(self.folder.glob(".checkpoint-*.json.*.tmp"))
        for path in [*self._paths()[: -self.keep], *leftovers]:
            with contextlib.suppress(OSError):
                path.unlink()


def _sequence_of(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    return int(found[1]) if found else -1


def _encode(state: object, sequence: int) -> bytes:
    try:
        payload = json.dumps(state, allow_nan=False, separators=(",", ":")).encode()
        same = json.loads(payload) == state
    except (TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"checkpoint {sequence}: the state is not a JSON value: {error}") from error
    if not same:
        raise CheckpointError(
            f"checkpoint {sequence}: the state would come back changed; use lists for tuples and text for keys"
        )
    header = {"format": FORMAT, "version": VERSION, "sequence": sequence}
    return _header_bytes({**header, "sha256": _checksum(header, payload)}) + b"\n" + payload + b"\n"


def _decode(path: Path, content: bytes) -> Checkpoint | DamagedCheckpoint:
    first, separator, rest = content.partition(b"\n")
    try:
        header: object = json.loads(first)
    except (ValueError, RecursionError):
        return DamagedCheckpoint(path, "its first line is not a header")
    if not isinstance(header, dict) or not separator or not rest.endswith(b"\n"):
        return DamagedCheckpoint(path, "it is cut short or its first line is not a header")
    payload = rest[:-1]
    stated = header.pop("sha256", None)
    # The header is compared as bytes too: spaces and escapes that JSON ignores would otherwise escape the checksum.
    if stated != _checksum(header, payload) or _header_bytes({**header, "sha256": stated}) != first:
        return DamagedCheckpoint(path, "its checksum does not fit its content")
    if header.get("format") != FORMAT:
        raise CheckpointError(f"{path} is intact but of format {header.get('format')!r}; move it out of this folder")
    if header.get("version") != VERSION:
        raise NewerCheckpoint(
            f"{path} has format version {header.get('version')!r}, this is a reader of version {VERSION}; "
            "use the version of wfrun that wrote it, or another folder"
        )
    if header.get("sequence") != _sequence_of(path):
        return DamagedCheckpoint(path, f"it holds sequence {header.get('sequence')!r}, not that of its name")
    return Checkpoint(_sequence_of(path), json.loads(payload), path)


def _header_bytes(header: dict[str, object]) -> bytes:
    return json.dumps(header, separators=(",", ":")).encode()


def _checksum(header: dict[str, object], payload: bytes) -> str:
    return hashlib.sha256(_header_bytes(header) + b"\n" + payload).hexdigest()
