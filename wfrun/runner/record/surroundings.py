"""Where and when a session took place: machine, conditions, source."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.measure.environment import conditions, fingerprint
from wfrun.measure.source_state import source_state
from wfrun.runner.record.machine_noise import known_noise
from wfrun.runner.record.session_record import SourceRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import JsonValue

    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.options import Outputs

__all__ = ["Surroundings", "look_around"]

_OWN_FILES: Final = (b'"format": "wfrun-', b'"format":"wfrun-')
_COMES_AND_GOES: Final = frozenset({".wfrun", "__pycache__"})
_SNIFFED_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a record says that did not come from its cases."""

    created: datetime
    fingerprint: dict[str, JsonValue]
    conditions: dict[str, JsonValue]
    source: SourceRecord | None
    source_doubt: str = ""


def look_around(discovery: Discovery, outputs: Outputs, cwd: Path) -> Surroundings:
    """Return the surroundings as they are now; some 100 ms, most of them for what is installed and for git.

    The source is that of the repository around ``cwd``; where there is none, of the first suite file's.
    """
    reading = source_state(cwd, _own_output(outputs, cwd))
    if reading.value is None and discovery.files and not discovery.shipped:
        beside = source_state(Path(discovery.files[0]).parent, _own_output(outputs, cwd))
        reading = beside if beside.value is not None else reading
    machine = _plain(fingerprint())
    noise = known_noise(machine)
    return Surroundings(
        created=datetime.now(UTC).replace(microsecond=0),
        fingerprint=machine,
        conditions={**_plain(conditions()), **({} if noise is None else {"machine_noise": noise})},
        source=None if reading.value is None else SourceRecord(**asdict(reading.value)),
        source_doubt=reading.doubt if reading.value is None else "",
    )


def _own_output(outputs: Outputs, cwd: Path) -> Callable[[Path], bool]:
    """Return what tells wfrun's own files from sources: a new baseline must not make its commit look dirty."""
    folder = None if outputs.folder is None else (cwd / outputs.folder).resolve()
    files = (outputs.junit_path, outputs.json_path, outputs.html_path, outputs.markdown_path)
    written = {(cwd / path).resolve() for path in files if path is not None}

    def is_own(path: Path) -> bool:
        resolved = path.resolve()
        if resolved in written or (folder is not None and resolved.is_relative_to(folder)):
            return True
        # Byte-code comes with the first run, and a file that another session is about to rename goes at once.
        if not _COMES_AND_GOES.isdisjoint(path.parts) or (path.name.startswith(".") and path.suffix == ".tmp"):
            return True
        if path.suffix not in {".json", ".jsonl"}:
            return False
        try:
            with path.open("rb") as stream:
                start = stream.read(_SNIFFED_BYTES)
        except OSError:
            return False
        return any(mark in start for mark in _OWN_FILES)

    return is_own


def _plain(values: dict[str, object]) -> dict[str, JsonValue]:
    plain: dict[str, JsonValue] = json.loads(json.dumps(values))
    return plain
