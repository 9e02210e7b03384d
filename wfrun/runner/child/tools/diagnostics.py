"""What ``--debug`` finds: callbacks that hold the loop, coroutines nobody awaits, resources nobody closes.

Theory of operation. The loop's own debug mode measures each callback and logs the slow ones, but knows only their task;
so a thread looks every few milliseconds where the main thread is, and what it saw most during a slow callback is the
line to blame. Warnings are kept as they come; those about an object also know where it was made, because tracemalloc
remembers. Garbage is collected as a case ends, so that what it left behind is told with it and not with another.
"""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
import tracemalloc
import warnings
from collections import Counter, deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.tools.source import is_users, source_line
from wfrun.runner.child.tools.tool import CaseTool

if TYPE_CHECKING:
    import asyncio
    import types
    from collections.abc import Callable

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.child.messages import CaseResult

__all__ = ["Diagnostics"]

LOOK_S: Final = 0.01
KEPT_LOOKS: Final = 3000
ORIGIN_FRAMES: Final = 10
"""Frames remembered of each allocation; each makes it dearer."""
MOST_WARNINGS: Final = 20


class Diagnostics(CaseTool):
    """Runs loops in debug mode and adds what they and the interpreter warn of to the case's findings."""

    def __init__(self) -> None:
        if not tracemalloc.is_tracing():
            tracemalloc.start(ORIGIN_FRAMES)
        self._found: list[str] = []
        self._here = f"{Path.cwd()}/"
        self._looks: deque[tuple[float, str]] = deque(maxlen=KEPT_LOOKS)
        self._main = threading.main_thread().ident or 0
        logging.getLogger("asyncio").addHandler(_Listener(self._hear))
        threading.Thread(target=self._look, name="wfrun debug", daemon=True).start()

    def on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Switch the loop's debug mode on."""
        loop.set_debug(True)

    def run(self, _info: CaseInfo, once: Callable[[], CaseResult]) -> CaseResult:
        """Add every warning of the case, and of the garbage it leaves, each once."""
        self._found = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = once()
            gc.collect()
            self._found += [_warning_text(warning) for warning in caught]
        # Paths as they are written elsewhere, from the project's folder on.
        found = Counter(text.replace(self._here, "") for text in self._found)
        texts = [f"! {text}" if count == 1 else f"! {count} times: {text}" for text, count in found.items()]
        if len(texts) > MOST_WARNINGS:
            texts[MOST_WARNINGS:] = [f"! and {len(texts) - MOST_WARNINGS} more"]
        return replace(result, findings=(*result.findings, *texts))

    def _hear(self, record: logging.LogRecord) -> None:
        arguments = record.args
        if str(record.msg).startswith("Executing") and isinstance(arguments, tuple) and len(arguments) == 2:
            took_s = float(str(arguments[1]))
            self._found.append(f"held the event loop for {took_s:.3f} s{self._where(took_s)}")
        else:
            self._found.append(_without_own(record.getMessage()))

    def _where(self, took_s: float) -> str:
        """Return the place that the main thread was seen at most during the last ``took_s`` seconds."""
        since_s = time.monotonic() - took_s
        seen = Counter(place for at_s, place in tuple(self._looks) if at_s >= since_s)
        return f" at {seen.most_common(1)[0][0]}" if seen else ""

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_S)
            frame = sys._current_frames().get(self._main)
            if frame is not None:
                self._looks.append((time.monotonic(), _place(frame)))


class _Listener(logging.Handler):
    """Hands every warning of a logger on."""

    def __init__(self, hear: Callable[[logging.LogRecord], None]) -> None:
        super().__init__(logging.WARNING)
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        self._hear(record)


def _place(innermost: types.FrameType) -> str:
    """Return the innermost line of the user's own code, or of anybody's where none is."""
    frame: types.FrameType | None = innermost
    while frame is not None and not is_users(frame.f_code.co_filename):
        frame = frame.f_back
    chosen = frame or innermost
    return f"{chosen.f_code.co_filename}:{chosen.f_lineno or chosen.f_code.co_firstlineno} in {chosen.f_code.co_name}"


def _warning_text(warning: warnings.WarningMessage) -> str:
    """Return the warning with the place it came from, and where the object it is about was made."""
    category = warning.category.__name__
    text = f"{category}: {_without_own(str(warning.message))}"
    if is_users(warning.filename) and "created at" not in text:
        text += f"\nat {warning.filename}:{warning.lineno}"
    made = tracemalloc.get_object_traceback(warning.source) if warning.source is not None else None
    if made is not None and "created at" not in text:
        lines = [frame for frame in made if is_users(frame.filename)]
        text += "".join(
            f"\nmade at {frame.filename}:{frame.lineno}\n    {source_line(frame.filename, frame.lineno)}"
            for frame in lines[-3:]
        )
    return text


def _without_own(text: str) -> str:
    """Return a text that holds a traceback without those of its frames that are not the user's."""
    kept: list[str] = []
    skipping = False
    for line in text.splitlines():
        if line.lstrip().startswith('File "'):
            skipping = not is_users(line.split('"')[1])
        elif not line.startswith("    "):
            skipping = False
        if not skipping:
            kept.append(line)
    return "\n".join(kept)
