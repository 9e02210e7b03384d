"""One operation of a ``select``: what a channel's ``receiving()`` and ``sending(item)`` return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from wfrun.concurrency.channel import Channel

__all__ = ["Arm"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Arm(Generic[T]):
    """An operation that ``select`` may do. It may be used again and again; each time it does the same."""

    channel: Channel[T]
    sends: bool = False
    item: T | None = None
    """What a sending arm sends."""
    entry: Any = None
    """The same, as it will lie in the channel's buffer."""
