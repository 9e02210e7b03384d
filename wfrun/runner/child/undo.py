"""What a suite may change for everybody after it in its process: noticed, undone, and said.

Everything here is compared after the load of a suite file and after each case, so reading it must cost next to nothing:
all of it together takes some 2 µs a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import locale
import logging
import os
import signal
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wfrun.runner.child.signals import handler_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ProcessState"]

SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGQUIT")
    if hasattr(signal, name)
)
_NUMBERS: Final = tuple(map(int, SIGNALS))
MOST_NAMES: Final = 5
PATH: Final = "sys.path"
WARNINGS: Final = "warnings"


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of the state: how to read it, how to bring back what was read, and how to tell what changed."""

    name: str
    read: Callable[[], Any]
    undo: Callable[[Any], object]
    tell: Callable[[Any, Any], str]


class ProcessState:
    """Remembers the state of this process, and undoes what differs from it."""

    def __init__(self, on_signals: Callable[[], None] = lambda: None) -> None:
        """Take ``on_signals`` for what else is to be done where handlers of signals were brought back."""
        self._parts = _parts(on_signals)
        self._reads = [part.read for part in self._parts]
        self._before: Sequence[Any] = ()
        self._modules = 0
        self._known = False
        """Whether everything is as it was at the last mark."""
        self._said: set[tuple[str, str]] = set()

    def mark(self) -> None:
        """Take the state as it is now for what is to be kept; after :meth:`undo` that is known without looking."""
        if self._known:
            self._known = False
            return
        self._before = [read() for read in self._reads]
        self._modules = len(sys.modules)

    def forget(self) -> None:
        """Look again at the next mark: somebody whose changes are to be kept has made some."""
        self._known = False

    def undo(self, file: str, keep_path: str = "") -> tuple[str, ...]:
        """Bring back the state as it was at :meth:`mark`, and return a sentence for each part that had changed.

        Args:
            file: The suite file that did it; of each part it is told once.
            keep_path: A folder that may stay at the front of ``sys.path``.
        """
        self._known = not keep_path
        state = [read() for read in self._reads]
        said = () if state == self._before else self._undo(state, file, keep_path)
        # A mark that knows everything looks at nothing, so what a case has imported is counted here.
        self._modules = len(sys.modules)
        return said

    def _undo(self, state: Sequence[Any], file: str, keep_path: str) -> tuple[str, ...]:
        said = []
        for part, before, now in zip(self._parts, self._before, state, strict=True):
            if part.name == PATH and keep_path and keep_path not in before:
                before = [keep_path, *before]  # noqa: PLW2901 - this part's alone
            if now == before or (part.name == WARNINGS and len(sys.modules) != self._modules):
                # Libraries filter warnings of theirs as they are imported, and are not imported again.
                continue
            # What cannot be brought back, such as a folder that was removed, is said all the same.
            with contextlib.suppress(Exception):
                part.undo(before)
            if (file, part.name) not in self._said:
                self._said.add((file, part.name))
                said.append(f"{Path(file).name} changed {part.tell(before, now)}; undone")
        return tuple(said)


def _parts(on_signals: Callable[[], None]) -> tuple[_Part, ...]:
    def undo_signals(before: Sequence[Any]) -> None:
        for number, handler in zip(SIGNALS, before, strict=True):
            if handler_of(number) != handler:
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
        on_signals()

    return (
        _Part("folder", _folder, os.chdir, lambda _, now: f"the working folder to {now or 'one that is gone'}"),
        _Part(PATH, lambda: sys.path[:], _replace_path, _tell_path),
        _Part("environment", _environment, _undo_environment, _tell_environment),
        _Part("signals", lambda: list(map(handler_of, _NUMBERS)), undo_signals, _tell_signals),
        _Part("policy", _policy, _set_policy, lambda _, now: f"the event-loop policy to {type(now).__name__}"),
        _Part("logging", _logging, _undo_logging, lambda *_: "the logging configuration of the root logger"),
        _Part(WARNINGS, lambda: warnings.filters[:], _undo_warnings, lambda *_: "the filters of warnings"),
        _Part("locale", lambda: locale.setlocale(locale.LC_ALL), _undo_locale, lambda _, now: f"the locale to {now}"),
        _Part(
            "recursion", sys.getrecursionlimit, sys.setrecursionlimit, lambda _, now: f"the recursion limit to {now}"
        ),
        _Part("umask", _umask, os.umask, lambda _, now: f"the umask to {now:03o}"),
    )


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - kept as the text that chdir takes
    except OSError:
        return ""


def _replace_path(before: list[str]) -> None:
    sys.path[:] = before


def _tell_path(before: list[str], now: list[str]) -> str:
    added = [each for each in now if each not in before]
    removed = [each for each in before if each not in now]
    parts = [f"{word} {', '.join(each)}" for word, each in (("added", added), ("removed", removed)) if each]
    return f"sys.path ({'; '.join(parts) or 'its order'})"


def _environment() -> Any:  # noqa: ANN401 - whatever os keeps it as
    data = getattr(os.environ, "_data", None)
    return dict(os.environ) if data is None else data.copy()


def _undo_environment(before: Any) -> None:  # noqa: ANN401 - as above
    now = _environment()
    for name in now.keys() - before.keys():
        del os.environ[_text(name)]
    for name, value in before.items():
        if now.get(name) != value:
            os.environ[_text(name)] = _text(value)


def _tell_environment(before: Any, now: Any) -> str:  # noqa: ANN401 - as above
    # Values may be secrets, so names alone are told.
    names = sorted(_text(name) for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"the environment variable{'s' * (len(names) > 1)} {', '.join(names[:MOST_NAMES])}{more}"


def _text(value: str | bytes) -> str:
    return os.fsdecode(value)


def _tell_signals(before: Sequence[Any], now: Sequence[Any]) -> str:
    changed = [number.name for number, old, new in zip(SIGNALS, before, now, strict=True) if old != new]
    return f"the handler{'s' * (len(changed) > 1)} of {', '.join(changed)}"


def _policy() -> Any:  # noqa: ANN401 - of anybody's class
    # The public function makes one where there is none, and is deprecated. asyncio's own is as good as none: much that
    # starts processes makes it.
    policy = getattr(asyncio.events, "_event_loop_policy", None)
    return None if policy is None or type(policy).__module__.startswith("asyncio.") else policy


def _set_policy(policy: Any) -> None:  # noqa: ANN401 - as above
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.set_event_loop_policy(policy)


def _logging() -> tuple[Any, ...]:
    root = logging.root
    return root.level, root.handlers[:], root.disabled, root.manager.disable


def _undo_logging(before: tuple[Any, ...]) -> None:
    root = logging.root
    level, root.handlers[:], root.disabled, root.manager.disable = before
    # Through the setter, which forgets what loggers remember of levels.
    root.setLevel(level)


def _undo_warnings(before: list[Any]) -> None:
    warnings.filters[:] = before  # type: ignore[index]
    getattr(warnings, "_filters_mutated", lambda: None)()


def _undo_locale(before: str) -> None:
    locale.setlocale(locale.LC_ALL, before)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
