"""Function calls counted exactly, with the time of each function, by the interpreter's own profiler."""

from __future__ import annotations

import cProfile
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CallCounter", "FunctionCalls", "is_turning"]

_TURNING: Final = (
    ("asyncio/base_events.py", "BaseEventLoop._run_once"),
    ("asyncio/base_events.py", "BaseEventLoop.time"),
    ("asyncio/selector_events.py", "BaseSelectorEventLoop._process_events"),
    ("asyncio/events.py", "TimerHandle.__lt__"),
    ("/selectors.py", ""),
)


def is_turning(file: str, name: str) -> bool:
    """Return whether a function turns the event loop: how often it does, and so its calls, depends on the clock."""
    return any(file.endswith(end) and name in (only, only or name) for end, only in _TURNING)


@dataclass(frozen=True, slots=True)
class FunctionCalls:
    """How often one function was called, and what it took without what it called itself."""

    file: str
    line: int
    name: str
    calls: int
    """A coroutine or generator that goes on after a wait is called once more each time."""
    own_ns: int
    """With what it called in C, and with what counting costs: only to be held against other figures of this kind."""


class CallCounter:
    """Counts what the thread that starts it calls, between :meth:`start` and :meth:`stop`, as often as those come.

    What it counts is the same for the same work, however fast the machine is; what the event loop does to wait is
    therefore left out, see :func:`is_turning`. The work takes two to eight times as long meanwhile.

    Args:
        skip: Given a file name; says whether what is defined there is left out.
    """

    def __init__(self, skip: Callable[[str], bool]) -> None:
        self._profile: Final = cProfile.Profile()
        self._skip: Final = skip

    def start(self) -> None:
        """Count from now.

        Raises:
            ValueError: Somebody else profiles already (from Python 3.12).
        """
        self._profile.enable()

    def stop(self) -> None:
        """Count no more."""
        self._profile.disable()

    @property
    def turns(self) -> int:
        """How often the event loop turned; it depends on the clock where the work waits for it."""
        return self._calls_of("BaseEventLoop._run_once")

    @property
    def handles(self) -> int:
        """How many callbacks and steps of tasks the event loop ran."""
        return self._calls_of("Handle._run")

    @property
    def calls(self) -> int:
        """All calls, of functions written in C too."""
        entries = self._profile.getstats()
        turning: Counter[object] = Counter()
        for entry in entries:
            if is_turning(*_name_of(entry.code)):
                turning.update({called.code: called.callcount for called in entry.calls or ()})
        return sum(entry.callcount - turning[entry.code] for entry in entries if not self._is_left_out(entry.code))

    def functions(self) -> list[FunctionCalls]:
        """Return what was called and is written in Python, in no order."""
        return [_function(entry) for entry in self._profile.getstats() if self._is_python(entry.code)]

    def _is_python(self, code: Any) -> bool:  # noqa: ANN401 - a code object, or the name of what has none
        return not isinstance(code, str) and not self._is_left_out(code)

    def _is_left_out(self, code: Any) -> bool:  # noqa: ANN401 - as above
        file, name = _name_of(code)
        # The stopping itself is no work of the case.
        return "_lsprof.Profiler" in name or is_turning(file, name) or self._skip(file)

    def _calls_of(self, wanted: str) -> int:
        names = ((_name_of(entry.code), entry.callcount) for entry in self._profile.getstats())
        return sum(calls for (file, name), calls in names if name == wanted and "asyncio" in file)


def _function(entry: Any) -> FunctionCalls:  # noqa: ANN401 - a type without a public name
    in_c = sum(called.inlinetime for called in entry.calls or () if isinstance(called.code, str))
    code = entry.code
    own_ns = round((entry.inlinetime + in_c) * 1e9)
    return FunctionCalls(code.co_filename, code.co_firstlineno, code.co_qualname, entry.callcount, own_ns)


def _name_of(code: Any) -> tuple[str, str]:  # noqa: ANN401 - a code object, or the name of what has none
    return ("~", code) if isinstance(code, str) else (code.co_filename, code.co_qualname)
