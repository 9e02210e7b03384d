"""A token bucket: so many per second in the long run, so many at once in the short.

Theory of operation. The bucket is a level at an instant; everything later is computed from the two, as exact
fractions: floats are binary fractions, so their sums and products have no rounding and a million small refills drift
by nothing. Only the moment of waking must be a float again, and is rounded up, never down: a sleeper that woke one
rounding error too early would have to sleep for a time too short to move the clock.

Waiting is a queue. Only its head sleeps, for its own tokens; all others wait for their turn, so a small request never
overtakes a large one, and cancelling a waiter costs no token and holds up nobody.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from wfrun.clock import SystemClock
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from wfrun.clock import Clock

__all__ = ["TokenBucket"]


class TokenBucket:
    """Hands out ``rate_per_s`` tokens a second, and up to ``burst`` that were saved up. It starts full.

    Args:
        rate_per_s: Tokens that drip in each second; more than 0.
        burst: Most tokens saved up, and most that can be asked for at once; at least 1.
        clock: Where the seconds come from; the event loop's time by default.

    Raises:
        UsageError: A rate or a burst that would let nothing through.
    """

    def __init__(self, rate_per_s: float, burst: int = 1, clock: Clock | None = None) -> None:
        if not (rate_per_s > 0 and math.isfinite(rate_per_s)) or burst < 1:
            raise UsageError(
                f"a rate of {rate_per_s}/s with a burst of {burst} would let nothing through; "
                "give a finite rate above 0 and a burst of at least 1"
            )
        self.rate_per_s: Final = rate_per_s
        self.burst: Final = burst
        self._clock: Final[Clock] = SystemClock() if clock is None else clock
        self._rate = Fraction(rate_per_s)
        self._level = Fraction(burst)
        self._level_at_s: float | None = None
        self._turns: deque[asyncio.Future[None]] = deque()

    @property
    def available(self) -> float:
        """Tokens in the bucket now."""
        self._refill(self._clock.monotonic())
        return float(self._level)

    @property
    def waiting(self) -> int:
        """How many tasks wait in :meth:`acquire`."""
        return len(self._turns)

    def try_acquire(self, tokens: int = 1) -> bool:
        """Take ``tokens`` now and return True, or take none and return False: there are too few, or others wait.

        Raises:
            UsageError: ``tokens`` is less than 1 or more than the burst.
        """
        self._check(tokens)
        return not self._turns and self._take(tokens) is None

    async def acquire(self, tokens: int = 1) -> None:
        """Take ``tokens``, waiting for them in the order of the calls. A cancelled wait has taken none.

        Raises:
            UsageError: ``tokens`` is less than 1 or more than the burst, and would never come.
        """
        if self.try_acquire(tokens):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            if self._turns[0] is not turn:
                await turn
            while (wait_s := self._take(tokens)) is not None:
                await self._clock.sleep(wait_s)
        finally:
            self._turns.remove(turn)
            self._wake_head()

    # Helpers

    def _take(self, tokens: int) -> float | None:
        """Take ``tokens`` and return None, or return the seconds until they will be there."""
        now_s = self._clock.monotonic()
        self._refill(now_s)
        missing = tokens - self._level
        if missing > 0:
            return _wait_s(now_s, Fraction(now_s) + missing / self._rate)
        self._level -= tokens
        return None

    def _refill(self, now_s: float) -> None:
        if self._level_at_s is not None and now_s > self._level_at_s:
            dripped = (Fraction(now_s) - Fraction(self._level_at_s)) * self._rate
            self._level = min(self._level + dripped, Fraction(self.burst))
        self._level_at_s = now_s

    def _wake_head(self) -> None:
        if self._turns and not self._turns[0].done():
            self._turns[0].set_result(None)

    def _check(self, tokens: int) -> None:
        if not 1 <= tokens <= self.burst:
            raise UsageError(
                f"{tokens} tokens can never be had from a bucket that holds {self.burst}; "
                f"ask for 1 to {self.burst}, or make it with a larger burst"
            )


def _wait_s(now_s: float, due_s: Fraction) -> float:
    """Return a wait after which a clock that adds it to ``now_s`` stands at ``due_s`` or the next float after it."""
    target_s = float(due_s)
    if Fraction(target_s) < due_s:
        target_s = math.nextafter(target_s, math.inf)
    wait_s = target_s - now_s
    return wait_s if now_s + wait_s >= target_s else wait_s + math.ulp(target_s)
