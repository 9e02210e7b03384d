"""The file of a history: lines of JSON that are added under a lock and never changed.

Theory of operation. A writer opens the file for appending, takes its lock, writes one whole line, flushes it to the
disk and lets go, so two sessions that end at once both have their line. A line that a crash cut short has no line
break: the next writer ends it, so that it damages nothing but itself. A reader skips what it cannot read, says which
line and why, and leaves it where it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import ValidationError

from wfrun.errors import FileError, UsageError
from wfrun.runner.record.history import HISTORY_SCHEMA, Damage, History, HistoryAnchor, HistoryNight

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HISTORY_FILE", "append_line", "read_history"]

HISTORY_FILE: Final = Path(".wfrun-history.jsonl")
"""Where a history is unless ``--history`` says otherwise: beside the project's settings, to be committed or not."""

LOCK_PATIENCE_S: Final = 30.0
"""How long another writer is waited for; it takes milliseconds unless it is suspended."""

_MODELS: Final[dict[str, type[HistoryNight | HistoryAnchor]]] = {
    "wfrun-night": HistoryNight,
    "wfrun-anchor": HistoryAnchor,
}


def read_history(path: Path) -> History:
    """Return the lines of the history in ``path``; what cannot be read is named in its ``damage``.

    Raises:
        FileError: There is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as stream, _locked(stream.fileno(), path, fcntl.LOCK_SH):
            content = stream.read()
    except FileNotFoundError:
        raise FileError(
            f"there is no history {path}; wfrun history add RECORD.json --history {path} begins one"
        ) from None
    except OSError as error:
        raise FileError(f"cannot read the history {path}: {error.strerror or error}") from error
    return _parsed(content)


def append_line(path: Path, line: HistoryNight | HistoryAnchor) -> History:
    """Add ``line`` to the history in ``path``, which is made where it is missing.

    Returns:
        The history as it is now, with the new line.

    Raises:
        UsageError: A session of the night is in the history already; nothing was written.
        FileError: It cannot be written; the file is as it was.
    """
    text = orjson.dumps(line.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise FileError(f"cannot write the history {path}: {error.strerror or error}") from error
    with os.fdopen(descriptor, "rb+", buffering=0) as stream, _locked(descriptor, path, fcntl.LOCK_EX):
        content = stream.read()
        history = _parsed(content)
        if isinstance(line, HistoryNight):
            _refuse_again(history, line, path)
        # A crash may have cut the last line short: it gets its end, so that this one has a line of its own.
        ending = b"\n" if content and not content.endswith(b"\n") else b""
        _write_whole(descriptor, ending + text, path, len(content))
    return History((*history.lines, line), history.damage)


def _write_whole(descriptor: int, text: bytes, path: Path, size: int) -> None:
    written = 0
    try:
        while written < len(text):
            written += os.write(descriptor, text[written:])
        os.fsync(descriptor)
    except OSError as error:
        # Half a line is worse than none: a full disk leaves the file as it was.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise FileError(f"cannot write the history {path}: {error.strerror or error}; it is as it was") from error


@contextlib.contextmanager
def _locked(descriptor: int, path: Path, kind: int) -> Iterator[None]:
    """Hold the file's lock; it ends when the descriptor is closed. A file system without locks goes without."""
    due_s = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > due_s:
                raise FileError(
                    f"another program has held the history {path} for {LOCK_PATIENCE_S:g} s; end it, and try again"
                ) from None
            time.sleep(0.01)
        except OSError:
            break
        else:
            break
    yield


def _refuse_again(history: History, night: HistoryNight, path: Path) -> None:
    known = {(other.machine, session.created, session.seed) for other in history.nights for session in other.sessions}
    for session in night.sessions:
        if (night.machine, session.created, session.seed) in known:
            raise UsageError(
                f"the session of {session.created:%Y-%m-%d %H:%M:%S} (seed {session.seed}) is in {path} already; "
                "a night counts once"
            )


def _parsed(content: bytes) -> History:
    lines: list[HistoryNight | HistoryAnchor] = []
    damage: list[Damage] = []
    for number, text in enumerate(content.split(b"\n"), start=1):
        if not text.strip():
            continue
        found = _line(text)
        if isinstance(found, str):
            damage.append(Damage(number, found))
        else:
            lines.append(found)
    lines.sort(key=lambda line: line.created)  # two machines may add in another order than they measured
    return History(tuple(lines), tuple(damage))


def _line(text: bytes) -> HistoryNight | HistoryAnchor | str:
    """Return what a line says, or why it cannot be read."""
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        cut = "cut short, or not JSON" if not text.rstrip().endswith(b"}") else "not JSON"
        return f"{cut} ({error})"
    form = value.get("format") if isinstance(value, dict) else None
    model = _MODELS.get(form) if isinstance(form, str) else None
    if model is None:
        return 'no line of a history: its "format" is neither wfrun-night nor wfrun-anchor'
    schema = value.get("schema_version")
    if isinstance(schema, int) and schema > HISTORY_SCHEMA:
        return f"written by a newer wfrun (schema {schema}; this one reads {HISTORY_SCHEMA}): upgrade wfrun"
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole line"
        return f"another shape than expected: field {field}: {first['msg']}"
