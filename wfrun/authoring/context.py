"""What a case is given: its seed, clock and folder, and where it counts, times and notes."""

from __future__ import annotations

import math
import random
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from wfrun.authoring.attachments import Attachment
from wfrun.authoring.errors import BadDeclaration, SkipCase
from wfrun.authoring.targets import open_target
from wfrun.clock import Clock, SystemClock
from wfrun.measure.latency import LatencyRecorder
from wfrun.measure.metrics import Metric, declared_metric
from wfrun.measure.stopwatch import Stopwatch

if TYPE_CHECKING:
    import tempfile
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from wfrun.authoring.open_load import OpenLoad
    from wfrun.measure.run_delay import RunDelay

__all__ = ["Context"]

_CLOCK: Final = SystemClock()


class Context:
    """One case's connection to the runner; a new one for every pass over the case.

    Attributes:
        case_id: The id that baselines and commands know the case by.
        seed: A number derived from the session's seed and the case's id; the same in every process of the case.
        clock: Time to read and to wait by; virtual in a case declared so.
        measured: Whether figures are being recorded; absolute speed bars belong behind this.
        counted: Whether what the pass does is counted instead of timed, which makes it take several times as long; no
            bar on speed belongs there.
    """

    def __init__(
        self,
        case_id: str,
        *,
        seed: int,
        measured: bool = False,
        targets: Mapping[str, str] | None = None,
        latency: LatencyRecorder | None = None,
        delay: RunDelay | None = None,
    ) -> None:
        self.case_id: Final = case_id
        self.seed: Final = seed
        self.clock: Final[Clock] = _CLOCK
        self.measured: Final = measured
        self.counted = False
        self._latency: Final = latency
        self.items = 0
        self.notes: dict[str, Any] = {}
        self.failed_checks: list[tuple[str, AssertionError]] = []
        self.attachments: list[Attachment] = []
        self.metrics: dict[str, tuple[Metric, float]] = {}
        self.figures: dict[str, float] = {}
        """What wfrun itself found out about the pass, by metric."""
        self._delay: Final = delay
        self._targets: Final = targets or {}
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    # Made when first asked for, because most cases never ask, and making them takes as long as a short case.

    @cached_property
    def random(self) -> random.Random:
        """A generator seeded with :attr:`seed`."""
        return random.Random(self.seed)  # noqa: S311 - repeatable on purpose

    @cached_property
    def stopwatch(self) -> Stopwatch:
        """What :meth:`timed` times with."""
        return Stopwatch(self._delay)

    @cached_property
    def latency(self) -> LatencyRecorder:
        """What :attr:`record_latency_ns` records into."""
        return self._latency or LatencyRecorder()

    @cached_property
    def record_latency_ns(self) -> Callable[[int], None]:
        """Call it with the nanoseconds one operation took. It costs about 40 ns."""
        return self.latency.record

    def count(self, items: int = 1) -> None:
        """Add to the number of items this pass worked through; throughput is counted in them."""
        self.items += items

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Mark what is to be timed; entered several times, the spans add up. Without it the whole case is timed."""
        self.stopwatch.start()
        try:
            yield
        finally:
            self.stopwatch.stop()

    def note(self, name: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
        """Keep a JSON value (a figure, a list, a curve) with the case's result, under ``name``."""
        self.notes[name] = value

    def metric(
        self,
        name: str,
        value: float,
        *,
        unit: str = "",
        better: Literal["lower", "higher"] = "lower",
        threshold_percent: float | None = 10,
    ) -> None:
        """Record a figure of the case's own: one for each repetition, the last where it is given several times.

        A measured case's is kept in baselines and compared like those of wfrun; that of another is noted.

        Args:
            name: Small letters, digits and ``_``; the unit of a time or size at its end.
            value: A number.
            unit: ``ns``, ``s``, ``B`` or ``/s``, shown as such, or any short word.
            better: Which direction is the good one.
            threshold_percent: The smallest change for the worse that fails a comparison; ``None`` only shows it.

        Raises:
            BadDeclaration: The name is wfrun's own or no plain word, the value no finite number, or the same name was
                declared otherwise before.
        """
        try:
            metric = declared_metric(name, unit, better, threshold_percent)
        except ValueError as error:
            raise BadDeclaration(str(error)) from None
        if not math.isfinite(value):
            raise BadDeclaration(f"the metric {name!r} is {value!r}, which is no number to compare")
        if self.metrics.get(name, (metric, 0.0))[0] != metric:
            raise BadDeclaration(f"the metric {name!r} was declared otherwise before in {self.case_id}")
        self.metrics[name] = (metric, float(value))

    async def open_load(
        self, call: Callable[[int], Awaitable[object]], *, rate_per_s: float, duration_s: float, most_in_flight: int
    ) -> OpenLoad:
        """Put an open load on a system, as :func:`wfrun.open_load` does, and record what it was like.

        Each call made counts as an item, and as a latency from the moment it was due. How late calls began, and how
        many were dropped, become metrics.

        Args:
            call: Given the call's index, counted from 0.
            rate_per_s: Calls a second, more than 0.
            duration_s: Seconds in which calls become due.
            most_in_flight: Most calls unanswered at once, at least 1; what is due beyond that is dropped.

        Raises:
            UsageError: A rate, duration or bound is out of range.
        """
        # Most cases never ask for it.
        from wfrun.authoring.open_load import open_load  # noqa: PLC0415

        load = await open_load(rate_per_s, duration_s, call, self.clock, most_in_flight)
        self.count(len(load.calls))
        record = self.record_latency_ns
        for made in load.calls:
            record(max(0, round(made.latency_s * 1e9)))
        slip_ns = max(0.0, load.slip_s(99) * 1e9) if load.calls else 0.0
        # Several loads in one pass: the worst slip, and all that was dropped.
        self.figures["load_slip_p99_ns"] = max(slip_ns, self.figures.get("load_slip_p99_ns", 0.0))
        self.figures["load_dropped"] = len(load.dropped) + self.figures.get("load_dropped", 0)
        return load

    @contextmanager
    def check(self, what: str = "") -> Iterator[None]:
        """Go on after an assertion in the block that does not hold; the case fails at its end, with all of them.

        Args:
            what: What is checked, for the message.
        """
        try:
            yield
        except AssertionError as error:
            self.failed_checks.append((what, error))

    def attach(self, name: str, content: bytes | str | Path) -> None:
        """Keep a text, some bytes, or the file at a path with the case's result, up to a mebibyte of it.

        Raises:
            OSError: The file cannot be read.
        """
        self.attachments.append(Attachment.of(name, content))

    def skip(self, reason: str) -> NoReturn:
        """Leave the case: it does not apply here, and ``reason`` says why."""
        raise SkipCase(reason)

    def target(self, name: str) -> Any:  # noqa: ANN401 - each target has its own contract
        """Return the system called ``name`` that this session drives: the embedded one, or what ``--target`` says.

        Raises:
            UnknownTarget: No installed package offers it; the message lists those there are.
        """
        return open_target(name, self._targets.get(name))

    @asynccontextmanager
    async def running(self, name: str) -> AsyncIterator[Any]:
        """Start the system called ``name``, as :meth:`target` returns it, and stop it at the end of the block.

        Raises:
            UnknownTarget: As for :meth:`target`.
        """
        target = self.target(name)
        await target.start()
        try:
            yield target
        finally:
            await target.stop()

    @cached_property
    def folder(self) -> Path:
        """An empty temporary folder, removed after the case."""
        # Every child would pay for what it draws in, and few cases want a folder.
        import tempfile  # noqa: PLC0415

        self._temporary = tempfile.TemporaryDirectory(prefix="wfrun-")
        return Path(self._temporary.name)

    def close(self) -> None:
        """Remove the temporary folder, if the case asked for one."""
        if self._temporary is not None:
            self._temporary.cleanup()
