"""``--max-memory``: the child of a case, with everything below it, is watched from outside and killed above the limit.

The kernel's own limits count address space or private mappings, which programs reserve without using them; what a
machine runs out of is memory in RAM. So that is read every few milliseconds, and a case that takes more between two
looks is not seen.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from wfrun.measure.tree import TreeMemory, tree_memory
from wfrun.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from wfrun.runner.child.process import ChildProcess

__all__ = ["MemoryLimit"]

LOOK_S: Final = 0.025
STACKS_S: Final = 0.05
"""Short, as it goes on taking memory meanwhile."""


class MemoryLimit:
    """Watches one child while it runs a case."""

    def __init__(self, limit_bytes: int | None) -> None:
        self._limit_bytes = limit_bytes
        self.exceeded = ""
        """Why the child was killed, for a report; empty while it was not."""

    @asynccontextmanager
    async def watching(self, child: ChildProcess) -> AsyncIterator[None]:
        """Kill ``child`` when it takes more than the limit while inside; without a limit do nothing."""
        if self._limit_bytes is None:
            yield
            return
        watch = asyncio.create_task(self._watch(child, self._limit_bytes))
        try:
            yield
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch

    async def _watch(self, child: ChildProcess, limit_bytes: int) -> None:
        while child.alive:
            # Counting shared memory once costs milliseconds, so only where it may decide.
            if tree_memory(child.pid).total_bytes > limit_bytes:
                used = tree_memory(child.pid, exact=True)
                if used.total_bytes > limit_bytes:
                    self.exceeded = _explained(used, limit_bytes, child.pid)
                    await child.kill_with_stacks(STACKS_S)
                    return
            await asyncio.sleep(LOOK_S)


def _explained(used: TreeMemory, limit_bytes: int, own_pid: int) -> str:
    decimal = limit_bytes % 10**6 == 0
    text = (
        f"used {format_bytes(used.total_bytes, decimal=decimal)}, "
        f"the limit is {format_bytes(limit_bytes, decimal=decimal)} (--max-memory)"
    )
    if used.largest_pid != own_pid:
        text += f"; {format_bytes(used.largest_bytes, decimal=decimal)} of it in its child {used.largest_pid}"
    return text
