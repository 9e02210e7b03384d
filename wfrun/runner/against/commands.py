"""A command as a case: whole processes, timed one after another, for one tree or in pairs over two.

Each process is a sample of its own, so a pair is one run of each side, in random order. What a command prints is thrown
away, and its standard input is empty.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from wfrun.errors import ExitCode, WfrunError
from wfrun.measure.metrics import METRICS
from wfrun.runner.against.decide import decide
from wfrun.runner.against.looks import FIRST, looks
from wfrun.runner.compare.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wfrun.runner.against.decide import Decision

__all__ = ["CommandRuns", "Place", "Run", "compare_command", "measure_command"]

FEWEST: Final = 5
MOST: Final = 1000
TIMES_PERCENT: Final = 3.0
_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where a side's command runs."""

    name: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of this process."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process, from its start to its end."""

    wall_time_ns: float
    cpu_time_ns: float
    """Of the process and of those it waited for."""
    peak_rss_bytes: float
    """Not below some nine mebibytes, which what starts it holds."""


@dataclass(frozen=True, slots=True)
class CommandRuns:
    """What was measured of a command, at one place or two."""

    words: tuple[str, ...]
    base: tuple[Run, ...]
    """Empty where there is one place."""
    changed: tuple[Run, ...]
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def regressed(self) -> bool:
        """Whether a metric that counts got worse."""
        return any(
            decision.metric.gates and decision.verdict is Verdict.REGRESSED for decision in self.decisions.values()
        )


class CommandFailed(WfrunError):
    """The command ended with another exit code than 0, or could not be started."""

    exit_code = ExitCode.CASE_FAILED


def measure_command(
    words: Sequence[str],
    place: Place,
    *,
    budget_s: float,
    warm_up: int = 1,
    tell: Callable[[int, Run], None] = lambda _number, _run: None,
) -> CommandRuns:
    """Run the command until the time is up, at least five times.

    Args:
        words: The command; no shell reads it.
        place: Where.
        budget_s: How long to go on.
        warm_up: Runs before those, which do not count.
        tell: Told of each run.

    Raises:
        CommandFailed: It failed; the text ends with what it printed last.
    """
    taken: list[Run] = []
    interrupted = False
    try:
        with _Spawner() as spawner:
            for _ in range(warm_up):
                spawner.run(words, place)
            until_s = time.perf_counter() + budget_s
            while len(taken) < MOST and (len(taken) < FEWEST or time.perf_counter() < until_s):
                taken.append(spawner.run(words, place))
                tell(len(taken), taken[-1])
    except KeyboardInterrupt:
        interrupted = True
    return CommandRuns(tuple(words), (), tuple(taken), interrupted=interrupted)


def compare_command(
    words: Sequence[str],
    places: tuple[Place, Place],
    *,
    budget_s: float,
    threshold_percent: float = TIMES_PERCENT,
    tell: Callable[[int, int, Decision | None], None] = lambda _done, _most, _decision: None,
) -> CommandRuns:
    """Run the command in pairs over two places until its time is decided, or the budget is used up.

    Args:
        words: The command; no shell reads it.
        places: The base and the changed one.
        budget_s: How long to go on, both together; never fewer than nine pairs.
        threshold_percent: The smallest change of a time that counts.
        tell: Told after each pair: how many there are, how many there will be at most, and what is known of the time.

    Raises:
        CommandFailed: It failed on a side; the text says on which.
    """
    chance = random.Random()  # noqa: S311 - chance against bad luck, not against people
    runs: tuple[list[Run], list[Run]] = ([], [])
    decisions: dict[str, Decision] = {}
    interrupted = False
    most = FIRST
    try:
        with _Spawner() as spawner:
            started_s = time.perf_counter()
            for place in places:
                spawner.run(words, place)
            most = max(FIRST, min(MOST, round(budget_s / (time.perf_counter() - started_s))))
            while len(runs[0]) < most:
                for number in chance.choice(((0, 1), (1, 0))):
                    runs[number].append(spawner.run(words, places[number]))
                look = next((each for each in looks(most) if each.pairs == len(runs[0])), None)
                if look is not None:
                    decisions = _decisions(runs, threshold_percent, look.error)
                lead = decisions.get("wall_time_ns")
                tell(len(runs[0]), most, lead)
                if look is not None and lead is not None and lead.verdict is not Verdict.INCONCLUSIVE:
                    break
    except KeyboardInterrupt:
        interrupted = True
        pairs = min(map(len, runs))
        for taken in runs:
            del taken[pairs:]
        if pairs and not decisions:
            decisions = _decisions(runs, threshold_percent, looks(most)[-1].error)
    return CommandRuns(tuple(words), tuple(runs[0]), tuple(runs[1]), decisions, interrupted)


def _decisions(runs: tuple[list[Run], list[Run]], threshold_percent: float, error: float) -> dict[str, Decision]:
    found = {}
    for name in ("wall_time_ns", "cpu_time_ns", "peak_rss_bytes"):
        metric = METRICS[name]
        base, changed = ([float(getattr(run, name)) for run in side] for side in runs)
        percent = metric.threshold_percent if metric.kind == "memory" else threshold_percent
        found[name] = decide(metric, base, changed, threshold_percent=percent, error=error)
    return found


class _Spawner:
    """The program that starts commands; it ends with this block, and what it runs then too."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="wfrun-")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("spawner.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._folder.cleanup()

    def run(self, words: Sequence[str], place: Place) -> Run:
        """Run the command once.

        Raises:
            CommandFailed: It failed; the text ends with what it printed last.
        """
        output = Path(self._folder.name) / "output"
        request = {
            "words": list(words),
            "folder": str(place.folder),
            "environment": {**os.environ, **place.environment},
            "output": str(output),
        }
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the spawner has no pipes")
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        told = shlex.join(words)
        if "problem" in answer:
            raise CommandFailed(f"{told} cannot be started in {place.name}: {answer['problem']}")
        code = answer.pop("exit_code")
        if code != 0:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            last = "\n".join(output.read_text(errors="replace").rstrip().splitlines()[-_LINES:])
            raise CommandFailed(f"{told} {how} in {place.name}" + (f":\n{last}" if last else ""))
        return Run(**{name: float(value) for name, value in answer.items()})
