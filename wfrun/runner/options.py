"""Every choice of a session, checked once; a stage sees only its part."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, TypeAlias

from wfrun.authoring.info import Kind, Tier
from wfrun.errors import UsageError
from wfrun.measure.metrics import METRICS

__all__ = [
    "PAIRS_BUDGET_S",
    "FailOn",
    "Limits",
    "MeasureProtocol",
    "Order",
    "Outputs",
    "Selection",
    "SessionOptions",
    "Shard",
    "Tools",
    "Trees",
]

DEFAULT_KINDS: Final = frozenset(kind for kind in Kind if not kind.measured)

Order: TypeAlias = Literal["file", "random"]
"""As cases stand in their files, or shuffled."""


class FailOn(StrEnum):
    """What of a comparison fails a session, as ``--fail-on`` calls it. Metrics that gate nothing never do."""

    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not-comparable"
    MISSING = "missing"
    NEW = "new"
    CHANGED = "changed"
    """The text of a case is another than when the baseline was taken."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts that a selection is split into."""

    number: int
    """From 1."""
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            they = f"they are 1/{self.of} to {self.of}/{self.of}" if self.of > 0 else "the least number of shards is 1"
            raise UsageError(f"there is no shard {self}; {they}")

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cases are wanted, and in which order."""

    kinds: frozenset[Kind] = frozenset()
    """Empty for all but performance and stress."""
    patterns: tuple[str, ...] = ()
    """A case must match all of them; the language is that of ``wfrun.runner.plan.pattern``."""
    excludes: tuple[str, ...] = ()
    """A case must match none of them; the same language."""
    tags: tuple[str, ...] = ()
    """A case must have all of them."""
    tiers: frozenset[Tier] = frozenset()
    """Empty for all."""
    order: Order = "file"
    shard: Shard | None = None
    case_ids: tuple[str, ...] = ()
    """These cases and no others, in this order; empty for no such choice."""
    last_failed: bool = False
    failed_first: bool = False
    seed: int = 0
    measured_seed: int = 0
    """The seed of measured cases. Another seed may be other work, so it stays the same unless the user gives one."""


@dataclass(frozen=True, slots=True)
class MeasureProtocol:
    """How a measured case is sampled."""

    generations: int = 8
    """Fresh processes per case."""
    sampling_s: float = 0.3
    """Time spent on repetitions in each process, after one warm-up."""
    min_repetitions: int = 3
    max_repetitions: int = 200

    def __post_init__(self) -> None:
        if not self.sampling_s > 0:
            raise UsageError("--budget: a case needs some sampling time, such as 4s")


@dataclass(frozen=True, slots=True)
class Tools:
    """What looks closer at the cases while they run."""

    in_process: bool = False
    """Cases run in this process, with its standard input and output, instead of in children."""
    pdb: bool = False
    """A debugger opens where a case fails, and nothing has a time limit. Implies ``in_process``."""
    capture: bool = True
    """What cases print is kept for their results, instead of going straight to where wfrun prints."""

    debug: bool = False
    """Loops run in debug mode, and what they and the interpreter warn of is told with each case."""
    profile: bool = False
    """Cases are repeated under profilers of processor time and memory."""
    trace: bool = False
    """What cases do when is written down, as a file for https://ui.perfetto.dev."""
    coverage: bool = False
    """Which lines cases run is taken down, in every process of theirs."""
    folder: Path = Path(".wfrun")
    """Where the files of tools go, each tool's into a folder of its own."""

    @property
    def alone(self) -> bool:
        """Whether cases had better run one after the other: for what they print, or for what they are seen to take."""
        return self.profile or not self.capture

    @property
    def distort(self) -> bool:
        """Whether figures taken with these would not be those of the cases, so that none are taken."""
        return self.in_process or self.debug or self.profile or self.trace or self.coverage


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use."""

    workers: int
    timeout_s: float | None = None
    """Of one pass over a case that declares none; ``None`` for its tier's, or 60 s where it names no tier."""
    fail_fast: bool = False
    repeat: int | None = 1
    """Times the checked cases are gone through; ``None`` for no end but a failure or Ctrl-C."""
    until_failed: bool = False
    """Stop at the first failure, and keep only the outcomes of the last round."""
    new_seeds: bool = False
    """Whether each round draws on a seed of its own."""
    retries: int = 0
    """How often a checked case that failed is tried again, in a fresh process each time."""
    flaky_fails: bool = False
    """Whether a case that failed and then passed fails the session."""
    teardown_grace_s: float = 5.0
    """How long tear-downs may take after a time-out or the first Ctrl-C."""
    max_memory_bytes: int | None = None
    """Most memory in RAM that the process of a case and its descendants may take together; ``None`` for no limit."""
    output_bytes: int = 64 * 1024
    """Captured output kept per case: half from its beginning, half from its end."""
    protocol: MeasureProtocol = MeasureProtocol()
    targets: tuple[tuple[str, str], ...] = ()
    """Systems that suites drive, by the name they ask for: ``("channels", "asyncio")``."""
    tools: Tools = Tools()


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is written, and where."""

    verbosity: int = 0
    """-1 quiet, 0 normal, 1 verbose."""
    junit_path: Path | None = None
    json_path: Path | None = None
    html_path: Path | None = None
    markdown_path: Path | None = None
    baseline_path: Path | None = None
    replace_baseline: bool = False
    compare_path: Path | None = None
    thresholds: dict[str, float] = field(default_factory=dict)
    """By metric, in per cent: the user's own, over the defaults of ``wfrun.measure.metrics``."""
    fail_on: frozenset[FailOn] = frozenset({FailOn.REGRESSED})
    """What of the comparison fails the session."""

    folder: Path | None = None
    """Where everything goes that no other path is named for."""
    stats: bool = False
    """Whether it is told where the time of the session went."""

    def __post_init__(self) -> None:
        for metric in self.thresholds:
            if metric not in METRICS:
                raise UsageError(f"no metric is called {metric!r}; there are {', '.join(METRICS)}")

    def artefact(self, name: str) -> Path | None:
        """Return where the artefact of this file name goes when nothing else is said; ``None`` for nowhere."""
        return None if self.folder is None else self.folder / name


PAIRS_BUDGET_S: Final = 4.0
"""Sampling time of a case in pairs, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Two trees to be compared now."""

    against: str
    """The base: a commit, ``REF1..REF2`` for two of them, or a folder."""
    setup: tuple[str, ...] = ()
    """The words of a command that makes an environment for each side; none to use this one."""
    suites_from_each: bool = False
    """Whether each side runs its own suites, and not both the working tree's."""
    budget_s: float = PAIRS_BUDGET_S
    """Sampling time for each case, both sides together."""

    def __post_init__(self) -> None:
        if not self.budget_s > 0:
            raise UsageError("--budget: a case needs some sampling time, such as 4s")


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """One session, from paths to reports."""

    paths: tuple[Path, ...]
    """Empty for ./suites, or the shipped suites where there is none."""
    selection: Selection
    limits: Limits
    outputs: Outputs = Outputs()
    trees: Trees | None = None
    """Where figures are to be compared between two trees, measured side by side."""
    pairs_budget_s: float = PAIRS_BUDGET_S
    """Sampling time of a case where a baseline's commit is measured again beside the working tree."""
    command: tuple[str, ...] = ()
    """The words of the command line that change how a case runs, for a command that runs it again."""
