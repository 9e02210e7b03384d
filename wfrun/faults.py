"""Failures on purpose: seeded, at named points, the same every time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from wfrun.errors import WfrunError

__all__ = ["FaultPlan", "InjectedFault"]


class InjectedFault(WfrunError):
    """A failure that a :class:`FaultPlan` placed, not one that happened by itself."""

    def __init__(self, point: str, key: object, attempt: int) -> None:
        super().__init__(f"injected fault at {point!r} for {key!r}, attempt {attempt}")
        self.point = point
        self.key = key
        self.attempt = attempt


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Which attempts fail, decided by seed, point, key and attempt alone: order and concurrency change nothing.

    Args:
        seed: Two plans with one seed fail at the same places.
        rate: Chance of a failure at each attempt, 0 to 1.
        script: Exact failures, by key: how many first attempts of it fail. A key listed here ignores ``rate``.
    """

    seed: int = 0
    rate: float = 0.0
    script: dict[object, int] = field(default_factory=dict)

    def fails(self, point: str, key: object, attempt: int = 1) -> bool:
        """Return whether ``attempt`` (counted from 1) of ``key`` at ``point`` is to fail."""
        if key in self.script:
            return attempt <= self.script[key]
        return random.Random(f"{self.seed}/{point}/{key!r}/{attempt}").random() < self.rate  # noqa: S311 - repeatable on purpose

    def check(self, point: str, key: object, attempt: int = 1) -> None:
        """Raise where :meth:`fails` says so.

        Raises:
            InjectedFault: This attempt is to fail.
        """
        if self.fails(point, key, attempt):
            raise InjectedFault(point, key, attempt)
