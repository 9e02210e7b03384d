"""Whether an awaited call waits, seen from outside: it does as soon as it hands control to the event loop."""

from __future__ import annotations

from types import coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

__all__ = ["noticing"]


@coroutine
def noticing(call: Coroutine[Any, Any, Any], begin: Callable[[], Callable[[], None]]) -> Generator[Any, Any, Any]:
    """Await ``call`` and return its result; ``begin`` is called when it waits, and what that returns at its end."""
    try:
        waits_for = call.send(None)
    except StopIteration as stop:
        return stop.value
    ended = begin()
    try:
        while True:
            try:
                answer = yield waits_for
            except GeneratorExit:
                call.close()
                raise
            except BaseException as error:  # noqa: BLE001 - cancellation too is for the call to handle
                waits_for = call.throw(error)
            else:
                waits_for = call.send(answer)
    except StopIteration as stop:
        return stop.value
    finally:
        ended()
