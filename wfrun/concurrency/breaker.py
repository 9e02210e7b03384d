"""A circuit breaker: stop calling what keeps failing, and look again later.

Theory of operation. :class:`BreakerStatus` is a value, and :func:`admit`, :func:`succeed`, :func:`fail` and
:func:`forget` are pure functions from one to the next; :class:`CircuitBreaker` only holds the current one and the
clock. Calls overlap, so a result may arrive after the circuit has moved on. Every move starts a new *generation*, a
permit remembers the generation it came from, and a result of an earlier generation decides nothing: a slow failure
from before the circuit opened must not undo a probe that just succeeded.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final, Self, TypeVar

from wfrun.clock import SystemClock
from wfrun.errors import ExitCode, UsageError, WfrunError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

    from wfrun.clock import Clock

__all__ = [
    "MOVES",
    "Attempt",
    "BreakerEvent",
    "BreakerRules",
    "BreakerState",
    "BreakerStatus",
    "CircuitBreaker",
    "CircuitOpen",
    "Step",
    "Transition",
    "admit",
    "fail",
    "forget",
    "succeed",
]

T = TypeVar("T")

TRANSITIONS_KEPT: Final = 1000
"""A breaker remembers this many of its latest moves."""


class BreakerState(Enum):
    """Whether calls go through."""

    CLOSED = "closed"
    """All do."""
    OPEN = "open"
    """None do."""
    HALF_OPEN = "half-open"
    """A bounded number does, as a probe."""


class BreakerEvent(Enum):
    """Why the circuit moves."""

    THRESHOLD_REACHED = "too many failures in a row"
    RESET_DUE = "the reset time has passed"
    PROBE_FAILED = "a probe failed"
    PROBES_PASSED = "all probes succeeded"


# Every lawful move of a circuit is here; a missing pair is a bug in this file.
MOVES: Final[Mapping[tuple[BreakerState, BreakerEvent], BreakerState]] = {
    (BreakerState.CLOSED, BreakerEvent.THRESHOLD_REACHED): BreakerState.OPEN,
    (BreakerState.OPEN, BreakerEvent.RESET_DUE): BreakerState.HALF_OPEN,
    (BreakerState.HALF_OPEN, BreakerEvent.PROBE_FAILED): BreakerState.OPEN,
    (BreakerState.HALF_OPEN, BreakerEvent.PROBES_PASSED): BreakerState.CLOSED,
}


class CircuitOpen(WfrunError):
    """The call was not made. ``retry_in_s`` says when to try again; it is 0 while probes decide at this moment."""

    exit_code = ExitCode.CASE_FAILED

    def __init__(self, name: str, state: BreakerState, retry_in_s: float) -> None:
        when = f"try again in {retry_in_s:.3g} s" if retry_in_s > 0 else "its probes are running; try again after them"
        super().__init__(f"circuit {name!r} is {state.value}; {when}")
        self.retry_in_s = retry_in_s


@dataclass(frozen=True, slots=True)
class Transition:
    """One move of a circuit."""

    at_s: float
    before: BreakerState
    event: BreakerEvent
    after: BreakerState


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a circuit moves.

    Args:
        failure_threshold: Failures in a row that open a closed circuit.
        reset_s: Seconds an open circuit waits before it lets probes through.
        probes: Calls let through half-open; when all have succeeded the circuit closes, the first failure opens it.
    """

    failure_threshold: int = 5
    reset_s: float = 30.0
    probes: int = 1

    def __post_init__(self) -> None:
        if self.failure_threshold < 1 or self.probes < 1 or self.reset_s < 0:
            raise UsageError("a circuit breaker needs failure_threshold >= 1, probes >= 1 and reset_s >= 0")


@dataclass(frozen=True, slots=True)
class BreakerStatus:
    """All that a circuit remembers between two calls."""

    state: BreakerState = BreakerState.CLOSED
    generation: int = 0
    failures_in_a_row: int = 0
    opened_at_s: float = 0.0
    probes_running: int = 0
    probes_passed: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """The next status, and the event that moved the circuit if it moved."""

    status: BreakerStatus
    event: BreakerEvent | None = None
    admitted: bool = True


def admit(rules: BreakerRules, status: BreakerStatus, now_s: float) -> Step:
    """Return whether a call may be made now. The first call after the reset time is what moves an open circuit."""
    event: BreakerEvent | None = None
    if status.state is BreakerState.OPEN and now_s >= status.opened_at_s + rules.reset_s:
        event = BreakerEvent.RESET_DUE
        status = _moved(status, event, now_s)
    if status.state is BreakerState.CLOSED:
        return Step(status)
    if status.state is BreakerState.HALF_OPEN and status.probes_running + status.probes_passed < rules.probes:
        return Step(replace(status, probes_running=status.probes_running + 1), event)
    return Step(status, event, admitted=False)


def succeed(rules: BreakerRules, status: BreakerStatus, generation: int, now_s: float) -> Step:
    """Return the status after a call admitted in ``generation`` has succeeded."""
    if generation != status.generation:
        return Step(status)
    if status.state is BreakerState.CLOSED:
        return Step(replace(status, failures_in_a_row=0) if status.failures_in_a_row else status)
    passed = status.probes_passed + 1
    if passed < rules.probes:
        return Step(replace(status, probes_running=status.probes_running - 1, probes_passed=passed))
    return Step(_moved(status, BreakerEvent.PROBES_PASSED, now_s), BreakerEvent.PROBES_PASSED)


def fail(rules: BreakerRules, status: BreakerStatus, generation: int, now_s: float) -> Step:
    """Return the status after a call admitted in ``generation`` has failed."""
    if generation != status.generation:
        return Step(status)
    if status.state is BreakerState.HALF_OPEN:
        return Step(_moved(status, BreakerEvent.PROBE_FAILED, now_s), BreakerEvent.PROBE_FAILED)
    failures = status.failures_in_a_row + 1
    if failures < rules.failure_threshold:
        return Step(replace(status, failures_in_a_row=failures))
    return Step(_moved(status, BreakerEvent.THRESHOLD_REACHED, now_s), BreakerEvent.THRESHOLD_REACHED)


def forget(status: BreakerStatus, generation: int) -> Step:
    """Return the status after a call admitted in ``generation`` was cancelled: its place as a probe is free again."""
    if generation != status.generation or status.state is not BreakerState.HALF_OPEN:
        return Step(status)
    return Step(replace(status, probes_running=status.probes_running - 1))


class CircuitBreaker:
    """Lets calls through while they succeed, refuses them for a while after too many failures in a row.

    Args:
        rules: When the circuit moves.
        name: Shown in errors.
        clock: Where reset time passes; the event loop's time by default.
        failure_on: Errors that count as failures of what is called. Any other error passes through as an answer: the
            called side was there. A cancelled call counts as neither.
    """

    def __init__(
        self,
        rules: BreakerRules | None = None,
        *,
        name: str = "circuit",
        clock: Clock | None = None,
        failure_on: tuple[type[Exception], ...] = (Exception,),
    ) -> None:
        self.rules: Final = BreakerRules() if rules is None else rules
        self.name: Final = name
        self._clock: Final[Clock] = SystemClock() if clock is None else clock
        self._failure_on: Final = failure_on
        self._status = BreakerStatus()
        self._transitions: deque[Transition] = deque(maxlen=TRANSITIONS_KEPT)

    @property
    def state(self) -> BreakerState:
        """The state since the last move; an open circuit stays open until a call after its reset time."""
        return self._status.state

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """The moves so far, oldest first; the latest 1,000 are kept."""
        return tuple(self._transitions)

    async def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Return what ``function`` returns, and count how it went.

        Raises:
            CircuitOpen: ``function`` was not called.
        """
        async with self.attempt():
            return await function()

    def attempt(self) -> Attempt:
        """Return an ``async with`` block around one call, which raises ``CircuitOpen`` at its entry."""
        return Attempt(self)

    # Used by Attempt

    def _enter(self) -> int:
        now_s = self._clock.monotonic()
        step = admit(self.rules, self._status, now_s)
        self._take(step, now_s)
        if not step.admitted:
            waits = self._status.state is BreakerState.OPEN
            retry_in_s = self._status.opened_at_s + self.rules.reset_s - now_s if waits else 0.0
            raise CircuitOpen(self.name, self._status.state, retry_in_s)
        return self._status.generation

    def _leave(self, generation: int, error: BaseException | None) -> None:
        now_s = self._clock.monotonic()
        if isinstance(error, self._failure_on):
            self._take(fail(self.rules, self._status, generation, now_s), now_s)
        elif error is None or isinstance(error, Exception):
            self._take(succeed(self.rules, self._status, generation, now_s), now_s)
        else:
            self._take(forget(self._status, generation), now_s)

    def _take(self, step: Step, now_s: float) -> None:
        if step.event is not None:
            before = self._status.state
            self._transitions.append(Transition(now_s, before, step.event, MOVES[before, step.event]))
        self._status = step.status


class Attempt:
    """One call through a :class:`CircuitBreaker`."""

    __slots__ = ("_breaker", "_generation")

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._generation = 0

    async def __aenter__(self) -> Self:
        self._generation = self._breaker._enter()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._breaker._leave(self._generation, error)


def _moved(status: BreakerStatus, event: BreakerEvent, now_s: float) -> BreakerStatus:
    after = MOVES[status.state, event]
    opened_at_s = now_s if after is BreakerState.OPEN else status.opened_at_s
    return BreakerStatus(state=after, generation=status.generation + 1, opened_at_s=opened_at_s)
