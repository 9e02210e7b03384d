"""Which cases may run beside which: exclusive ones beside none, those of a group up to its limit."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from wfrun.authoring.info import CaseInfo

__all__ = ["Gate", "is_gated"]


def is_gated(case: CaseInfo) -> bool:
    """Return whether the case asks for anything here; such a one is started by itself and not with others."""
    return case.exclusive or bool(case.groups)


class Gate:
    """Lets workers through one by one.

    A worker never holds one place while it waits for another, so nobody waits for ever. An exclusive case that waits
    is not overtaken: no other begins until it has had its turn.

    Args:
        cases: All that will run. Where they disagree about the limit of a group, the smallest counts.
    """

    def __init__(self, cases: Iterable[CaseInfo]) -> None:
        limits: dict[str, int] = {}
        exclusive = False
        for case in cases:
            exclusive = exclusive or case.exclusive
            for name, limit in case.groups:
                limits[name] = min(limit, limits.get(name, limit))
        self._limits: Final = limits
        self._open: Final = not (exclusive or limits)
        self._changed: Final = asyncio.Condition()
        self._inside = 0
        self._alone = False
        self._waiting_to_be_alone = 0
        self._of_group: Final[Counter[str]] = Counter()

    @asynccontextmanager
    async def entered(self, case: CaseInfo | None) -> AsyncIterator[None]:
        """Wait until ``case`` may run, and count it among those that do; ``None`` for work that asks for nothing."""
        if self._open:
            yield
            return
        exclusive = case is not None and case.exclusive
        groups = () if case is None else tuple(name for name, _ in case.groups)
        async with self._changed:
            self._waiting_to_be_alone += exclusive
            try:
                await self._changed.wait_for(lambda: self._may_enter(groups, exclusive=exclusive))
            finally:
                self._waiting_to_be_alone -= exclusive
            self._inside += 1
            self._alone = exclusive
            self._of_group.update(groups)
        try:
            yield
        finally:
            async with self._changed:
                self._inside -= 1
                self._alone = False
                self._of_group.subtract(groups)
                self._changed.notify_all()

    def _may_enter(self, groups: tuple[str, ...], *, exclusive: bool) -> bool:
        if exclusive:
            return self._inside == 0
        if self._alone or self._waiting_to_be_alone:
            return False
        return all(self._of_group[name] < self._limits[name] for name in groups)
