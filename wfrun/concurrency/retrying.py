"""Trying again: a policy that decides, and a driver that waits.

The count of tries belongs to one call of :func:`retry`, that is to the item in hand, never to the worker or to the
system as a whole: one item that fails often takes nothing from the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from wfrun.clock import SystemClock
from wfrun.errors import ExitCode, UsageError, WfrunError

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Iterator

    from wfrun.clock import Clock

__all__ = ["Decision", "RetriesExhausted", "RetryPolicy", "retry"]

T = TypeVar("T")


class RetriesExhausted(WfrunError):
    """Every try that the policy allows has failed. The last error is the cause, ``errors`` has all in order."""

    exit_code = ExitCode.CASE_FAILED

    def __init__(self, errors: tuple[Exception, ...], elapsed_s: float, reason: str) -> None:
        tries = "1 try" if len(errors) == 1 else f"{len(errors)} tries"
        super().__init__(f"gave up after {tries} in {elapsed_s:.3g} s, {reason}; the last error: {errors[-1]!r}")
        self.errors = errors
        self.attempts = len(errors)
        self.elapsed_s = elapsed_s


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do after a failed try."""

    delay_s: float | None
    """Seconds to wait before the next try; ``None`` when there is none."""
    reason: str = ""
    """Why there is no next try."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how late to try again.

    The delay before try ``n + 1`` is ``base_delay_s * factor ** (n - 1)``, at most ``max_delay_s``, from which jitter
    takes away up to its share.

    Args:
        max_attempts: Tries in all, the first included: "3 retries" are 4 tries, see :meth:`retries`.
        jitter: 0 for exact delays; 0.5 draws each from its second half; 1 from all of it.
        deadline_s: No try starts later than this after the first; a try that runs is not interrupted.
        retry_on: Errors worth another try. Others pass through at once. Cancellation is not an error and always passes.
    """

    max_attempts: int = 4
    base_delay_s: float = 0.1
    factor: float = 2.0
    max_delay_s: float = 30.0
    jitter: float = 0.0
    deadline_s: float | None = None
    retry_on: tuple[type[Exception], ...] = (Exception,)

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise UsageError(f"max_attempts {self.max_attempts} would never try; give at least 1")
        if not all(0 <= value < math.inf for value in (self.base_delay_s, self.max_delay_s, self.factor)):
            raise UsageError("base_delay_s, max_delay_s and factor must be finite and not negative; 0 is no wait")
        if not 0 <= self.jitter <= 1:
            raise UsageError(f"jitter {self.jitter} is not a share of the delay; give 0 to 1")
        if not all(issubclass(kind, Exception) for kind in self.retry_on):
            raise UsageError("retry_on names something that is no Exception; cancellation and exits are never retried")

    @classmethod
    def retries(
        cls,
        count: int,
        *,
        base_delay_s: float = 0.1,
        factor: float = 2.0,
        max_delay_s: float = 30.0,
        jitter: float = 0.0,
        deadline_s: float | None = None,
        retry_on: tuple[type[Exception], ...] = (Exception,),
    ) -> RetryPolicy:
        """Return a policy of one try and ``count`` retries; the other arguments are those of the class."""
        return cls(count + 1, base_delay_s, factor, max_delay_s, jitter, deadline_s, retry_on)

    def delay_s(self, attempt: int, rng: random.Random | None = None) -> float:
        """Return the seconds to wait after failed try ``attempt``, counted from 1; without ``rng``, free of jitter."""
        try:
            full_s = min(self.base_delay_s * self.factor ** (attempt - 1), self.max_delay_s)
        except OverflowError:
            full_s = self.max_delay_s if self.base_delay_s else 0.0
        if rng is None or self.jitter == 0:
            return full_s
        return full_s * (1 - self.jitter * rng.random())

    def delays(self, rng: random.Random | None = None) -> Iterator[float]:
        """Yield the delays between all tries, one fewer than ``max_attempts``, whatever the deadline says."""
        return (self.delay_s(attempt, rng) for attempt in range(1, self.max_attempts))

    def decide(self, attempt: int, elapsed_s: float, rng: random.Random | None = None) -> Decision:
        """Return whether another try follows failed try ``attempt``, ``elapsed_s`` seconds after the first began."""
        if attempt >= self.max_attempts:
            return Decision(None, f"the limit is {self.max_attempts}")
        delay_s = self.delay_s(attempt, rng)
        if self.deadline_s is not None and elapsed_s + delay_s > self.deadline_s:
            return Decision(None, f"another would start after the deadline of {self.deadline_s:g} s")
        return Decision(delay_s)


async def retry(
    call: Callable[[int], Awaitable[T]],
    policy: RetryPolicy,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> T:
    """Return what ``call`` returns at its first success.

    Cancelling ends it at once, while it tries or while it waits, and is never retried.

    Args:
        call: Gets the number of the try, counted from 1.
        policy: How often, how late and on which errors to try again.
        clock: What to wait on; the event loop's time by default.
        rng: Where jitter comes from; without one the delays are exact.

    Raises:
        RetriesExhausted: The policy allows no further try.
        Exception: An error that ``policy.retry_on`` does not name, as it came.
    """
    clock = SystemClock() if clock is None else clock
    started_s = clock.monotonic()
    errors: list[Exception] = []
    while True:
        try:
            return await call(len(errors) + 1)
        except policy.retry_on as error:
            errors.append(error)
        elapsed_s = clock.monotonic() - started_s
        decision = policy.decide(len(errors), elapsed_s, rng)
        if decision.delay_s is None:
            raise RetriesExhausted(tuple(errors), elapsed_s, decision.reason) from errors[-1]
        await clock.sleep(decision.delay_s)
