"""What people see while a session runs: a listener for its events.

On a terminal a view of what runs now is redrawn a few times a second, below the lines of finished cases. Elsewhere
(a pipe, a log, CI) each finished case is one line as soon as it finishes. Both take every event without waiting.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from rich.console import Group
from rich.text import Text

from wfrun.runner.child.messages import Status
from wfrun.runner.report.console import animated
from wfrun.runner.report.lines import STYLES, findings_lines, finished_line, fixture_line, told_when_verbose
from wfrun.runner.report.text import case_name, plural
from wfrun.runner.run.events import (
    CaseFinished,
    CaseStarted,
    FixtureFailed,
    GenerationFinished,
    InterruptRequested,
    RoundFinished,
    RunEvent,
    RunFinished,
    RunStarted,
)
from wfrun.units import format_duration
from wfrun.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from rich.console import Console, RenderableType

    from wfrun.runner.plan.planned import PlannedCase
    from wfrun.runner.run.outcomes import Outcome

__all__ = ["AnimatedProgress", "PlainProgress", "Progress", "make_progress"]

REDRAWN_PER_S: Final = 8
RUNNING_ROWS: Final = 8
"""Cases shown as running at most; further ones are counted."""
ROUND_TOLD_S: Final = 1.0
WAITING_LINES: Final = 5
"""Lines of finished cases shown in the view until they are printed above it for good."""


class Progress(Protocol):
    """A listener for run events, entered before the first and left after the last, however the session ends."""

    def __call__(self, event: RunEvent) -> None:
        """Take one event; never waits and never raises on account of the output."""

    def __enter__(self) -> Self:
        """Begin to listen."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was found."""


def make_progress(console: Console, verbosity: int, *, alone: bool = True) -> Progress:
    """Return the listener that fits the console: animated on a terminal that is watched, plain elsewhere.

    Args:
        console: Where to print.
        verbosity: -1 for failures only, 0, or 1 for what passed cases printed, noted and counted.
        alone: Whether nobody else writes there meanwhile; a view could not redraw itself among others' lines.
    """
    if alone and animated(console) and verbosity >= 0:
        return AnimatedProgress(console, verbosity)
    return PlainProgress(console, verbosity)


class PlainProgress:
    """One line for each finished case, as soon as it has finished."""

    def __init__(self, console: Console, verbosity: int = 0) -> None:
        self._console = console
        self._verbosity = verbosity
        self._rounds: int | None = 1
        self._round_told_s = 0.0

    def __call__(self, event: RunEvent) -> None:
        """Print what the event is worth."""
        match event:
            case RunStarted():
                self._rounds = event.rounds
                if self._verbosity >= 0:
                    self._print(heading(event))
            case RoundFinished() if self._verbosity >= 0:
                self._tell_round(event)
            case GenerationFinished() if self._verbosity > 0:
                told = f": {event.figure}" if event.figure else ""
                process = f"process {event.done} of {event.planned}"
                self._print(Text(f"      {case_name(event.case.info)}: {process}{told}", "dim"))
            case CaseFinished() if self._is_told(event.outcome):
                for line in lines_of(event.outcome, self._verbosity):
                    self._print(line)
            case FixtureFailed():
                self._print(fixture_line(event.failure))
            case InterruptRequested():
                self._print(stopping(event))

    def __enter__(self) -> Self:
        """Nothing is held open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held open."""

    def _is_told(self, outcome: Outcome) -> bool:
        # Thirty rounds of what passed are thirty lines and not thirty times as many as there are cases.
        repeated = self._rounds != 1 and self._verbosity <= 0
        return not outcome.status.good or outcome.flaky or (self._verbosity >= 0 and not repeated)

    def _tell_round(self, event: RoundFinished) -> None:
        """Print a line for a round; where they come fast, for one in a while and the last."""
        now_s = time.monotonic()
        if now_s - self._round_told_s >= ROUND_TOLD_S or event.number == self._rounds:
            self._round_told_s = now_s
            self._print(round_line(event, self._rounds))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)


def round_line(event: RoundFinished, rounds: int | None) -> Text:
    """Return which round is over, and how its cases ended."""
    counts: dict[Status, int] = {}
    for outcome in event.outcomes:
        counts[outcome.status] = counts.get(outcome.status, 0) + 1
    of = "" if rounds is None else f" of {rounds:,}"
    ended = ", ".join(f"{count:,} {status.value}" for status, count in counts.items())
    return Text(f"round {event.number:,}{of}: {ended}", "dim")


@dataclass(slots=True)
class _Running:
    case: PlannedCase
    since_s: float
    done: int = 0
    planned: int = 0
    figure: str = ""


class AnimatedProgress:
    """A view of what runs now, below the lines of what has finished.

    A thread of rich redraws the view. Lines are printed in batches, at most as often as that: printing each would
    redraw for each, and thousands of short cases would wait for the terminal.
    """

    def __init__(
        self, console: Console, verbosity: int = 0, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._verbosity = verbosity
        self._monotonic = monotonic
        self._planned = 0
        self._rounds: int | None = 1
        self._round = 0
        self._finished: dict[Status, int] = {}
        self._running: dict[str, _Running] = {}
        self._waiting: list[Text] = []
        self._started_s = self._printed_s = monotonic()
        self._stopping: Text | None = None
        # Only a terminal needs it.
        from rich.live import Live  # noqa: PLC0415

        self._live = Live(
            console=console,
            get_renderable=self.view,
            refresh_per_second=REDRAWN_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __call__(self, event: RunEvent) -> None:
        """Change what the view shows, and print the lines that are due."""
        match event:
            case RunStarted():
                self._planned = len(event.plan.cases) * (event.rounds or 1)
                self._rounds = event.rounds
                self._waiting.append(heading(event))
            case CaseStarted():
                self._running[event.case.info.id] = _Running(event.case, self._monotonic())
            case GenerationFinished():
                running = self._running.setdefault(event.case.info.id, _Running(event.case, self._monotonic()))
                running.done, running.planned, running.figure = event.done, event.planned, event.figure
            case CaseFinished():
                status = event.outcome.status
                self._running.pop(event.outcome.case.info.id, None)
                self._finished[status] = self._finished.get(status, 0) + 1
                if self._rounds == 1 or self._verbosity > 0 or not event.outcome.status.good or event.outcome.flaky:
                    self._waiting.extend(lines_of(event.outcome, self._verbosity))
            case RoundFinished():
                self._round = event.number
            case FixtureFailed():
                self._waiting.append(fixture_line(event.failure))
            case InterruptRequested():
                self._stopping = stopping(event)
            case RunFinished():
                self._print_waiting()
        if self._monotonic() - self._printed_s >= 1 / REDRAWN_PER_S:
            self._print_waiting()

    def __enter__(self) -> Self:
        """Begin to redraw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Print what still waits, take the view away and show the cursor again."""
        try:
            self._print_waiting()
        finally:
            self._live.stop()

    def view(self) -> RenderableType:
        """Return what is redrawn: lines not yet printed, the counts, and the running cases with their elapsed times."""
        now_s = self._monotonic()
        # The event loop's thread changes these while rich's thread reads them; list() copies in one step.
        running = list(self._running.values())
        waiting = list(self._waiting)[-WAITING_LINES:]
        from rich.table import Table  # noqa: PLC0415 - as above

        rows = Table.grid(padding=(0, 2))
        rows.add_column(no_wrap=True, overflow="ellipsis")
        rows.add_column(justify="right", no_wrap=True)
        rows.add_column(no_wrap=True)
        for each in running[:RUNNING_ROWS]:
            generation = f"process {min(each.done + 1, each.planned)} of {each.planned}" if each.planned else ""
            generation += f"  {each.figure}" if each.figure else ""
            name = f"  {case_name(each.case.info)}"
            rows.add_row(Text(name), Text(format_duration(now_s - each.since_s)), Text(generation, "dim"))
        if len(running) > RUNNING_ROWS:
            rows.add_row(Text(f"  and {len(running) - RUNNING_ROWS} more", "dim"), Text(), Text())
        parts: list[RenderableType] = [*waiting, self._counts(now_s), rows]
        if self._stopping is not None:
            parts.append(self._stopping)
        return Group(*parts)

    def _counts(self, now_s: float) -> Text:
        finished = dict(self._finished)
        of = "" if self._rounds is None else f" of {plural(self._planned, 'case')}"
        counts = Text(f"{sum(finished.values())}{of}", "bold")
        if self._rounds != 1:
            counts.append(f" · round {self._round + 1}" + ("" if self._rounds is None else f" of {self._rounds:,}"))
        for status, count in finished.items():
            counts.append(" · ", "dim").append(f"{count} {status.value}", STYLES[status])
        return counts.append(f" · {format_duration(now_s - self._started_s)}", "dim")

    def _print_waiting(self) -> None:
        self._printed_s = self._monotonic()
        if self._waiting:
            lines, self._waiting = self._waiting, []
            self._console.print(Text("\n").join(lines), soft_wrap=True)


def heading(event: RunStarted) -> Text:
    """Return the first line of a session: what runs, on how many workers, from which seed."""
    plan = event.plan
    if event.confirming:
        return Text(f"{plural(len(plan.cases), 'case')} got worse: measured again in fresh processes", "bold")
    chosen, discovered = len(plan.cases), plan.discovered
    cases = plural(chosen, "case") if chosen == discovered else f"{chosen:,} of {plural(discovered, 'case')}"
    parts = [f"wfrun {__version__}", cases, plural(event.workers, "worker"), f"seed {plan.seed}"]
    if plan.shard is not None:
        parts.insert(2, f"shard {plan.shard}")
    if event.rounds != 1:
        parts.insert(2, "until one fails" if event.rounds is None else f"{event.rounds:,} times")
    if plan.order == "random":
        parts.append("random order")
    return Text(" · ".join(parts), "bold")


def lines_of(outcome: Outcome, verbosity: int) -> list[Text]:
    """Return what is printed of a case when it has finished; of one that never ran nothing, as they are counted."""
    if outcome.status is Status.NOT_RUN:
        return []
    told = told_when_verbose(outcome) if verbosity > 0 and outcome.status.good else None
    found = findings_lines(outcome) if outcome.findings and verbosity >= 0 else None
    return [finished_line(outcome), *(part for part in (found, told) if part is not None)]


def stopping(event: InterruptRequested) -> Text:
    """Return what happens after Ctrl-C, and what another one would do."""
    if event.times > 1:
        return Text("stopping at once", "yellow")
    grace = format_duration(event.grace_s)
    return Text(f"stopping: tear-downs have {grace} to finish; Ctrl-C again ends everything at once", "yellow")
