"""The frames that a suspended task is made of, from the one it was started with to the one that waits."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["await_chain", "in_library", "place_of", "places_of"]

_PACKAGE: Final = Path(__file__).parents[1]
_OWN: Final = tuple(str(_PACKAGE / name) for name in ("runner/", "authoring/"))
"""The runner's frames, which are of no interest to a suite's author."""
_LIBRARY: Final = (
    *_OWN,
    *(str(_PACKAGE / name) for name in ("concurrency/", "waits/", "clock.py", "virtual_time.py")),
    str(Path(asyncio.__file__).parent),
    str(Path(concurrent.futures.__file__).parent),
    contextlib.__file__,
)
_STEPPERS: Final = frozenset(
    ("anext_awaitable", "async_generator_asend", "async_generator_athrow", "coroutine_wrapper")
)
_SUSPENDED: Final = (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)


def await_chain(awaitable: Any) -> list[types.FrameType]:  # noqa: ANN401 - coroutines, generators, foreign awaitables
    """Return the frames through which ``awaitable`` waits, outermost first."""
    frames = []
    seen: set[int] = set()
    while awaitable is not None and id(awaitable) not in seen:
        seen.add(id(awaitable))
        frame = _first(awaitable, "cr_frame", "gi_frame", "ag_frame")
        if frame is not None:
            frames.append(frame)
            awaitable = _first(awaitable, "cr_await", "gi_yieldfrom", "ag_await")
        else:
            # What steps through a coroutine or an asynchronous generator does not name it, but holds it.
            inside = [
                each
                for each in gc.get_referents(awaitable)
                if isinstance(each, _SUSPENDED) or type(each).__name__ in _STEPPERS
            ]
            awaitable = inside[0] if len(inside) == 1 else None
    return frames


def places_of(frames: Sequence[types.FrameType]) -> tuple[str, ...]:
    """Return the lines of ``frames`` outside asyncio and wfrun; where all are inside, those outside the runner."""
    outside = tuple(place_of(frame) for frame in frames if not in_library(frame))
    return outside or tuple(place_of(frame) for frame in frames if not frame.f_code.co_filename.startswith(_OWN))


def place_of(frame: types.FrameType) -> str:
    """Return a frame's file, line and function."""
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def in_library(frame: types.FrameType) -> bool:
    """Return whether the frame's code is asyncio's or wfrun's own."""
    return frame.f_code.co_filename.startswith(_LIBRARY)


def _first(thing: Any, *names: str) -> Any:  # noqa: ANN401 - as above
    return next((value for name in names if (value := getattr(thing, name, None)) is not None), None)
