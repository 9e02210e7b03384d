"""What a child process is told before it begins."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wfrun.concurrency.processes.importable import FunctionReference, MainModule

__all__ = ["Role", "Start"]


class Role(Enum):
    """What the child does with its function."""

    WORK = "call it with each item"
    CONSUME = "call it once, with the receiving end of a channel"
    PRODUCE = "call it once, with the sending end of a channel"


class Start(NamedTuple):
    """All a child is told."""

    path: list[str]
    main: MainModule
    function: FunctionReference
    role: Role
    arguments: tuple[object, ...] = ()
    capacity: int = 1
    """Of the channel's end in the child."""
