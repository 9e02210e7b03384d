"""What was written on the command line, as the choices of a session; whatever cannot be meant is refused here."""

from __future__ import annotations

import os
import secrets
import shlex
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.authoring.info import Kind, Tier
from wfrun.cli.tools import tools_of
from wfrun.errors import UsageError
from wfrun.files import read_bytes
from wfrun.measure.metrics import METRICS
from wfrun.runner.options import (
    PAIRS_BUDGET_S,
    FailOn,
    Limits,
    MeasureProtocol,
    Outputs,
    Selection,
    SessionOptions,
    Shard,
    Trees,
)
from wfrun.runner.plan.pattern import parse_pattern
from wfrun.units import format_bytes, parse_bytes, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wfrun.runner.options import Order, Tools

__all__ = ["CommandLine", "kinds_of", "measured_command", "session_options"]

MOST_DEFAULT_WORKERS: Final = 4
SEEDS: Final = 2**32
RECORD: Final = "record.json"
JUNIT: Final = "junit.xml"
PAGE: Final = "session.html"
SUMMARY: Final = "summary.md"
"""What the record and the reports are called in the folder of --output."""
NOTHING: Final = "none"
"""What --fail-on is given where a comparison is to fail nothing."""
COMMAND_BUDGET_S: Final = 10.0
LEAST_MEMORY_BYTES: Final = 64 * 2**20
"""Python with what a suite imports takes half of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """The words of one command line, by option, as they were written."""

    paths: Sequence[str] = ()
    kinds: frozenset[Kind] = frozenset()
    categories: Sequence[str] = ()
    patterns: Sequence[str] = ()
    excludes: Sequence[str] = ()
    tags: Sequence[str] = ()
    tiers: Sequence[str] = ()
    shard: str | None = None
    order: str = "file"
    case_ids: Sequence[str] = ()
    last_failed: bool = False
    failed_first: bool = False
    max_memory: str | None = None
    repeat: str | None = None
    until_failed: bool = False
    retries: str | None = None
    flaky: str = "pass"
    workers: str | None = None
    fail_fast: bool = False
    timeout: str | None = None
    seed: str | None = None
    targets: Sequence[str] = ()
    in_process: bool = False
    pdb: bool = False
    no_capture: bool = False
    debug: bool = False
    profile: bool = False
    trace: bool = False
    coverage: bool = False
    verbose: bool = False
    quiet: bool = False
    stats: bool = False
    output: str | None = None
    junit: str | None = None
    json: str | None = None
    html: str | None = None
    markdown: str | None = None
    baseline: str | None = None
    replace: bool = False
    compare: str | None = None
    against: str | None = None
    budget: str | None = None
    setup: str | None = None
    suites_from_each: bool = False
    thresholds: Sequence[str] = ()
    fail_on: Sequence[str] = ()
    about_running: tuple[str, ...] = ()
    """What :func:`~wfrun.cli.options.words.words_about_running` returns."""


def kinds_of(*, unit: bool, integration: bool, e2e: bool, performance: bool, stress: bool) -> frozenset[Kind]:
    """Return the kinds whose flags were given; none means the default ones."""
    given = {
        Kind.UNIT: unit,
        Kind.INTEGRATION: integration,
        Kind.E2E: e2e,
        Kind.PERFORMANCE: performance,
        Kind.STRESS: stress,
    }
    return frozenset(kind for kind, wanted in given.items() if wanted)


def session_options(written: CommandLine) -> SessionOptions:
    """Return the session that was asked for; what was left open is decided here, the seed among it.

    Raises:
        UsageError: An option's value is not of the accepted form, or two options contradict each other.
    """
    if written.verbose and written.quiet:
        raise UsageError("--verbose and --quiet contradict each other; give one of them")
    if written.replace and written.baseline is None:
        raise UsageError("--replace says what to do with the file of --baseline; add --baseline FILE")
    if written.thresholds and written.compare is None and written.against is None:
        raise UsageError("--threshold says how --compare and --against judge; add --compare FILE or --against REF")
    if written.fail_on and written.compare is None and written.against is None:
        raise UsageError("--fail-on says what of --compare and --against fails; add --compare FILE or --against REF")
    if written.flaky != "pass" and written.retries is None:
        raise UsageError("--flaky says what a case is that passed only when it was tried again; add --retries N")
    folder = _file("--output", written.output)
    tools = tools_of(written, folder)
    return SessionOptions(
        paths=tuple(Path(path) for path in written.paths),
        selection=Selection(
            kinds=_kinds(written),
            patterns=_patterns("--pattern", written.patterns),
            excludes=_patterns("--exclude", written.excludes),
            tags=tuple(written.tags),
            tiers=frozenset(_tier(name) for name in written.tiers),
            order=_order(written.order),
            shard=None if written.shard is None else _shard(written.shard),
            case_ids=_case_ids(written.case_ids),
            last_failed=written.last_failed,
            failed_first=written.failed_first,
            seed=_seed(written.seed),
            measured_seed=0 if written.seed is None else _seed(written.seed),
        ),
        limits=Limits(
            workers=1 if written.workers is None and tools.alone else _workers(written.workers),
            timeout_s=_timeout_s(written.timeout),
            fail_fast=written.fail_fast,
            max_memory_bytes=_max_memory_bytes(written, tools),
            repeat=_repeat(written),
            until_failed=written.until_failed,
            new_seeds=written.seed is None,
            retries=0 if written.retries is None else _whole_number("--retries", written.retries, at_least=0),
            flaky_fails=_flaky_fails(written.flaky),
            protocol=_protocol(written),
            targets=_targets(written.targets),
            tools=tools,
        ),
        outputs=Outputs(
            verbosity=int(written.verbose) - int(written.quiet),
            junit_path=_file("--junit", written.junit) or (folder and folder / JUNIT),
            json_path=_file("--json", written.json) or (folder and folder / RECORD),
            html_path=_file("--html", written.html) or (folder and folder / PAGE),
            markdown_path=_file("--markdown", written.markdown) or (folder and folder / SUMMARY),
            baseline_path=_file("--baseline", written.baseline),
            replace_baseline=written.replace,
            compare_path=_file("--compare", written.compare),
            thresholds=dict(_threshold(text) for text in written.thresholds),
            fail_on=_fail_on(written.fail_on),
            folder=folder,
            stats=written.stats,
        ),
        trees=_trees(written, tools),
        pairs_budget_s=PAIRS_BUDGET_S if written.budget is None else _budget_s(written.budget),
        command=written.about_running,
    )


def _kinds(written: CommandLine) -> frozenset[Kind]:
    kinds = written.kinds | {_kind(name) for name in written.categories}
    # Two trees are compared by figures, so cases that are measured are meant.
    return kinds or (frozenset({Kind.PERFORMANCE}) if written.against is not None else kinds)


def _trees(written: CommandLine, tools: Tools) -> Trees | None:
    if written.against is None:
        about = {"--setup": written.setup, "--suites-from-each": written.suites_from_each}
        for option, value in about.items():
            if value:
                raise UsageError(f"{option} says how --against measures; add --against REF")
        return None
    rival = "--baseline" if written.baseline else "--compare" if written.compare else None
    if rival is not None:
        raise UsageError(f"--against measures both sides now and {rival} is about a file; give one of them")
    if tools.distort:
        raise UsageError(
            "--against compares figures, which are not those of the code under --debug, --profile and such"
        )
    return Trees(
        against=written.against,
        setup=_setup(written.setup),
        suites_from_each=written.suites_from_each,
        budget_s=PAIRS_BUDGET_S if written.budget is None else _budget_s(written.budget),
    )


def _protocol(written: CommandLine) -> MeasureProtocol:
    usual = MeasureProtocol()
    if written.budget is None:
        return usual
    sampling_s = _budget_s(written.budget) / usual.generations
    # A longer budget is for more repetitions, of quick cases too.
    most = round(usual.max_repetitions * max(1.0, sampling_s / usual.sampling_s))
    return replace(usual, sampling_s=sampling_s, max_repetitions=most)


def _setup(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"--setup: {text!r} is no command: {error}") from None
    if not words:
        raise UsageError("--setup: there is no command in it")
    return words


def _budget_s(text: str) -> float:
    try:
        return parse_duration(text)
    except UsageError as error:
        raise UsageError(f"--budget: {error}") from None


def measured_command(
    against: str | None, budget: str | None, setup: str | None, thresholds: Sequence[str]
) -> tuple[Trees | None, float, float]:
    """Return the trees in which a command is measured, for how many seconds, and what change of a time counts.

    Raises:
        UsageError: A value is not of the accepted form, or needs ``--against``.
    """
    if against is None and (setup or thresholds):
        raise UsageError(f"{'--setup' if setup else '--threshold'} is about --against; add --against REF")
    budget_s = COMMAND_BUDGET_S if budget is None else _budget_s(budget)
    percents = dict(_threshold(text) for text in thresholds)
    if unknown := [name for name in percents if name != "wall_time_ns"]:
        raise UsageError(f"--threshold: of a command only wall_time_ns has one that can be set, not {unknown[0]}")
    trees = None if against is None else Trees(against=against, setup=_setup(setup), budget_s=budget_s)
    return trees, budget_s, percents.get("wall_time_ns", 3.0)


def _kind(name: str) -> Kind:
    try:
        return Kind(name.strip().lower())
    except ValueError:
        raise UsageError(f"--category: there is no kind {name!r}{_nearest(name, Kind)}") from None


def _tier(name: str) -> Tier:
    try:
        return Tier(name.strip().lower())
    except ValueError:
        raise UsageError(f"--tier: there is no tier {name!r}{_nearest(name, Tier)}") from None


def _patterns(option: str, texts: Iterable[str]) -> tuple[str, ...]:
    # Read here only to be refused early, before suites are looked for.
    for text in texts:
        parse_pattern(text, option)
    return tuple(texts)


def _order(text: str) -> Order:
    match text:
        case "file" | "random":
            return text
    raise UsageError(f"--order is file or random, not {text!r}")


def _shard(text: str) -> Shard:
    number, slash, of = text.partition("/")
    if not (slash and all(part.isascii() and part.isdigit() for part in (number, of))):
        raise UsageError(f"--shard {text!r} is not of the form I/N, such as 1/3 for the first of three")
    try:
        return Shard(int(number), int(of))
    except UsageError as error:
        raise UsageError(f"--shard {text}: {error}") from None


def _seed(text: str | None) -> int:
    return secrets.randbelow(SEEDS) if text is None else _whole_number("--seed", text, at_least=0)


def _case_ids(texts: Iterable[str]) -> tuple[str, ...]:
    ids: dict[str, None] = {}
    for text in texts:
        if text.startswith("@"):
            lines = read_bytes(Path(text[1:])).decode("utf-8", "replace").splitlines()
            ids |= dict.fromkeys(line.strip() for line in lines if line.strip())
        elif text.strip():
            ids[text] = None
        else:
            raise UsageError("--case is given an empty id; `wfrun list` shows the ids")
    return tuple(ids)


def _max_memory_bytes(written: CommandLine, tools: Tools) -> int | None:
    if written.max_memory is None:
        return None
    if tools.in_process:
        raise UsageError("--max-memory ends the process of a case; with --in-process or --pdb there is none to end")
    try:
        size_bytes = parse_bytes(written.max_memory)
    except UsageError as error:
        raise UsageError(f"--max-memory: {error}") from None
    if size_bytes < LEAST_MEMORY_BYTES:
        raise UsageError(
            f"--max-memory {written.max_memory!r} is less than an idle process takes; give at least "
            f"{format_bytes(LEAST_MEMORY_BYTES)}, such as 512MB"
        )
    return size_bytes


def _repeat(written: CommandLine) -> int | None:
    if written.repeat is not None:
        return _whole_number("--repeat", written.repeat, at_least=1)
    return None if written.until_failed else 1


def _flaky_fails(text: str) -> bool:
    if text not in {"pass", "fail"}:
        raise UsageError(f"--flaky takes pass or fail, not {text!r}")
    return text == "fail"


def _workers(text: str | None) -> int:
    if text is not None:
        return _whole_number("--workers", text, at_least=1)
    # The processors this process may use, which in a container are fewer than the machine has.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_DEFAULT_WORKERS)


def _timeout_s(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        timeout_s = parse_duration(text)
    except UsageError as error:
        raise UsageError(f"--timeout: {error}") from None
    if timeout_s <= 0:
        raise UsageError(f"--timeout {text!r} would end every case before it starts; give more than 0, such as 60s")
    return timeout_s


def _targets(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    targets: dict[str, str] = {}
    for text in texts:
        name, value = _pair("--target", text, "NAME=VALUE, such as channels=asyncio")
        if targets.setdefault(name, value) != value:
            raise UsageError(f"--target {name} is given as {targets[name]!r} and as {value!r}; give one of them")
    return tuple(targets.items())


def _threshold(text: str) -> tuple[str, float]:
    metric, value = _pair("--threshold", text, "METRIC=PERCENT, such as latency_p99_ns=10")
    if metric not in METRICS:
        raise UsageError(f"--threshold: no metric is called {metric!r}{_nearest(metric, METRICS)}")
    try:
        percent = float(value.removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent < float("inf"):
        raise UsageError(f"--threshold {text!r}: {value!r} is not a percentage; write a number of at least 0, as in 10")
    return metric, percent


def _fail_on(texts: Sequence[str]) -> frozenset[FailOn]:
    if not texts:
        return frozenset({FailOn.REGRESSED})
    names = [name.strip().lower().replace(" ", "-") for text in texts for name in text.split(",")]
    for name in names:
        if name not in {*FailOn, NOTHING}:
            raise UsageError(f"--fail-on: there is no {name!r}{_nearest(name, (*FailOn, NOTHING))}")
    if NOTHING in names and set(names) != {NOTHING}:
        raise UsageError(f"--fail-on {','.join(names)}: {NOTHING} stands alone")
    return frozenset(FailOn(name) for name in names if name != NOTHING)


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    # "p99" is what people call latency_p99_ns, so a part of a name counts as near.
    near = [each for each in names if name and name in each] or get_close_matches(name, names, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(names)}"


def _pair(option: str, text: str, form: str) -> tuple[str, str]:
    name, separator, value = (part.strip() for part in text.partition("="))
    if not (name and separator and value):
        raise UsageError(f"{option} {text!r} is not of the form {form}")
    return name, value


def _whole_number(option: str, text: str, *, at_least: int) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= at_least):
        raise UsageError(f"{option} takes a whole number of at least {at_least}, not {text!r}")
    return int(text)


def _file(option: str, text: str | None) -> Path | None:
    if text is None:
        return None
    if not text:
        raise UsageError(f"{option} is given an empty file name")
    return Path(text)
