"""What is known of a child's death: how it ended, where it was, and whether memory ran out.

The place comes from what ``faulthandler`` printed as the process died, or from what the child prints when something
calls ``os._exit``. It stands at the end of the captured output, from where it is taken.
"""

from __future__ import annotations

import re
import sysconfig
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.measure.cgroup import memory_kills

if TYPE_CHECKING:
    from collections.abc import Callable

    from wfrun.measure.reading import Reading
    from wfrun.runner.run.outcomes import CapturedOutput

__all__ = ["Death", "MemoryKills", "explain_death"]

_DUMP: Final = re.compile(
    r"^(?:Fatal Python error: (?P<error>[^\n]*)\n(?:Python runtime state: [^\n]*\n)?\n)?"
    r"(?:(?:Current thread|Thread) 0x[0-9a-f]+[^\n]*|Stack) \(most recent call first\):$",
    re.MULTILINE,
)
_BLOCK: Final = re.compile(r"^(?:Current thread 0x[0-9a-f]+[^\n]*|Stack) \(most recent call first\):\n", re.MULTILINE)
_FRAME: Final = re.compile(r'^  File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<function>.*)$')
_OWN: Final = str(Path(__file__).parents[1] / "child")
"""Frames of wfrun's own child program, which tell an author nothing."""
_LIBRARY: Final = ("<", _OWN, *{path for key in ("stdlib", "platstdlib") if (path := sysconfig.get_path(key))})
_SHORTEST_LOOP: Final = 20
"""So many times must a line stand in one stack to be called endless recursion."""


@dataclass(frozen=True, slots=True)
class Death:
    """How a child died, for a report."""

    message: str
    details: str
    output: CapturedOutput
    """What the case itself printed."""


class MemoryKills:
    """Tells whether the kernel killed something for lack of memory since it was asked last."""

    def __init__(self, read: Callable[[], Reading[int]] = memory_kills) -> None:
        self._read = read
        self._last = read().value

    def happened(self) -> bool | None:
        """Return whether there were any; ``None`` where the system does not tell."""
        last, self._last = self._last, self._read().value
        return None if last is None or self._last is None else self._last > last


def explain_death(how: str, output: CapturedOutput, *, memory_ran_out: bool | None = None) -> Death:
    """Return what is known of a death.

    Args:
        how: The signal or exit code, as a clause: ``its process was killed by SIGSEGV``.
        output: What was captured until then.
        memory_ran_out: Whether the kernel killed something for lack of memory meanwhile; ``None`` for not known.
    """
    printed, error, dump = _split(output.text)
    frames = _frames_of_the_dying(dump)
    shown = _without_own_frames(dump)
    message = how
    if "SIGKILL" in how:
        message += _who_kills(memory_ran_out)
    if (loop := _endless(frames)) is not None:
        message += f": endless recursion in {loop}"
    elif frames:
        message += f", in {_named(_first_of_the_author(frames))}"
    elif error and not how.endswith(error):
        message += f": {error}"
    details = f"the end of its process: {error}\n{shown}" if error else shown
    return Death(message, details, replace(output, text=printed))


def _who_kills(memory_ran_out: bool | None) -> str:  # noqa: FBT001 - three answers, one of them not known
    match memory_ran_out:
        case True:
            return ": the system ran out of memory, or the control group's limit was reached"
        case False:
            return ", which a process sent: memory had not run out"
        case _:
            return ", sent by a process or for lack of memory: this system does not tell"


def _split(text: str) -> tuple[str, str, str]:
    """Return what was printed before the last dump of stacks, the fatal error that caused it, and the dump."""
    starts = list(_DUMP.finditer(text))
    # One fatal error dumps several threads; the dump begins where the error is named, or with the first thread.
    named = [found for found in starts if found["error"] is not None]
    if not starts:
        return text, "", ""
    first = named[-1] if named else starts[0]
    head = text[: first.start()]
    dump = text[first.start() :]
    if first["error"] is not None:
        dump = dump[dump.index("\n\n") + 2 :]
    return head, first["error"] or "", dump


def _without_own_frames(dump: str) -> str:
    """Return the dump with every stack ended where wfrun called the author, and loops shortened."""
    kept: list[str] = []
    authors = runners = False
    repeated = 0
    for line in (*dump.splitlines(), ""):
        frame = _FRAME.match(line)
        if frame is None:
            authors = runners = False
        elif frame["file"].startswith(_OWN):
            # Own frames around the author's call end the stack; one inside it is the watch over os._exit.
            runners = authors
            continue
        authors = authors or frame is not None
        if frame is not None and kept and line == kept[-1]:
            repeated += 1
            continue
        if repeated:
            kept.append(f"  [the same {repeated} more times]")
            repeated = 0
        if not runners and not line.startswith("Extension modules:"):
            kept.append(line)
    return "\n".join(kept).strip()


def _frames_of_the_dying(dump: str) -> list[tuple[str, str, str]]:
    """Return file, line and function of the thread that died, innermost first."""
    found = _BLOCK.search(dump)
    frames = []
    for line in dump[found.end() :].splitlines() if found else ():
        frame = _FRAME.match(line)
        if frame is None:
            break
        frames.append((frame["file"], frame["line"], frame["function"]))
    return frames


def _endless(frames: list[tuple[str, str, str]]) -> str | None:
    if not frames:
        return None
    frame, times = Counter(frames).most_common(1)[0]
    return _named(frame) if times >= _SHORTEST_LOOP else None


def _first_of_the_author(frames: list[tuple[str, str, str]]) -> tuple[str, str, str]:
    for frame in frames:
        if not frame[0].startswith(_LIBRARY) and "site-packages" not in frame[0]:
            return frame
    return frames[0]


def _named(frame: tuple[str, str, str]) -> str:
    file, line, function = frame
    return f"{function} ({Path(file).name}:{line})"
