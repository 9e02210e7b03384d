"""Exceptions as text that a suite's author wants to read: their own frames, not the runner's."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.errors import WfrunError

if TYPE_CHECKING:
    import types

__all__ = ["CaseStuck", "one_line", "own_file", "place_text", "skip_own", "traceback_text"]

_OWN_FOLDERS: Final = tuple(str(Path(__file__).parents[2] / name) for name in ("runner", "authoring"))
MOST_LOCALS: Final = 30
MOST_LOCAL_CHARACTERS: Final = 300


class CaseStuck(WfrunError):
    """The case can never go on. Its text is one line; ``details`` says who waits for what."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.details = details


def one_line(error: BaseException) -> str:
    """Return the error's type and the first line of its text; an assertion's text alone."""
    try:
        first = str(error).strip().partition("\n")[0]
    except Exception as problem:  # noqa: BLE001 - the error's class is the author's, and so is its text
        first = f"(its text cannot be had: {type(problem).__name__} in its __str__)"
    if isinstance(error, AssertionError | CaseStuck) and first:
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def traceback_text(error: BaseException, *, with_locals: bool = False) -> str:
    """Return the traceback without the runner's own frames at its top; ``with_locals`` with the values in each frame.

    It is empty for an error that wfrun raised on purpose and no other code led to: its text says where to look.
    """
    if isinstance(error, CaseStuck):
        return error.details
    if isinstance(error, WfrunError) and skip_own(error.__traceback__) is error.__traceback__:
        return ""
    frames = skip_own(error.__traceback__)
    told = traceback.TracebackException(type(error), error, frames, capture_locals=with_locals, compact=True)
    _bound_locals(told)
    return "".join(told.format()).rstrip()


def own_file(file: str) -> bool:
    """Return whether a file belongs to the runner."""
    return file.startswith(_OWN_FOLDERS)


def place_text(error: BaseException) -> str:
    """Return where ``error`` was raised from, without the runner's frames and without the error itself."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_OWN_FOLDERS)
    ]
    return ("stopped at\n" + "".join(traceback.format_list(frames))).rstrip()


def _bound_locals(told: traceback.TracebackException | None) -> None:
    """Keep the values of so many local variables as a reader can use, and none of the standard library's."""
    if told is None:
        return
    import sysconfig  # noqa: PLC0415 - only where locals are shown, as it takes some milliseconds

    libraries = sysconfig.get_path("stdlib")
    for frame in told.stack:
        shown = None if frame.filename.startswith(libraries) else frame.locals
        if shown is None:
            frame.locals = None
            continue
        kept = {name: _shortened(value) for name, value in list(shown.items())[:MOST_LOCALS] if name.isidentifier()}
        if len(shown) > MOST_LOCALS:
            kept["…"] = f"and {len(shown) - MOST_LOCALS} more"
        frame.locals = kept
    for inner in (told.__cause__, told.__context__, *(told.exceptions or ())):
        _bound_locals(inner)


def _shortened(text: str) -> str:
    left_out = len(text) - MOST_LOCAL_CHARACTERS
    return text if left_out <= 0 else f"{text[:MOST_LOCAL_CHARACTERS]}… ({left_out:,} characters more)"


def skip_own(frames: types.TracebackType | None) -> types.TracebackType | None:
    """Return ``frames`` from the first that is not the runner's own."""
    rest = frames
    while rest is not None:
        file = rest.tb_frame.f_code.co_filename
        if not file.startswith(_OWN_FOLDERS) and not file.startswith("<frozen"):
            return rest
        rest = rest.tb_next
    return frames
