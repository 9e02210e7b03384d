from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from wfrun.authoring.info import Kind, Tier
from wfrun.cli.choices import CommandLine, kinds_of, session_options
from wfrun.errors import UsageError
from wfrun.runner.options import Selection, Shard


def test_what_is_left_open_has_its_default() -> None:
    options = session_options(CommandLine())

    assert options.paths == ()
    assert options.selection.kinds == frozenset()
    assert options.limits.timeout_s is None
    assert options.outputs.verbosity == 0


def test_everything_written_reaches_the_session() -> None:
    options = session_options(
        CommandLine(
            paths=["a", "b/suite_c.py"],
            kinds=frozenset({Kind.E2E}),
            categories=["Unit"],
            patterns=["complete", "not slow"],
            excludes=["db"],
            tags=["slow", "net"],
            tiers=["fast", "Slow"],
            shard="2/3",
            order="random",
            workers="3",
            fail_fast=True,
            timeout="250ms",
            seed="42",
            targets=["channels=asyncio", "store=sqlite=x"],
            quiet=True,
            junit="j.xml",
            json="-",
            baseline="main",
            replace=True,
            compare="main",
            thresholds=["latency_p99_ns=10", "wall_time_ns = 7.5%"],
        )
    )

    assert options.paths == (Path("a"), Path("b/suite_c.py"))
    assert options.selection == Selection(
        kinds=frozenset({Kind.E2E, Kind.UNIT}),
        patterns=("complete", "not slow"),
        excludes=("db",),
        tags=("slow", "net"),
        tiers=frozenset({Tier.FAST, Tier.SLOW}),
        order="random",
        shard=Shard(2, 3),
        seed=42,
        measured_seed=42,
    )
    assert (options.limits.workers, options.limits.fail_fast, options.limits.timeout_s) == (3, True, 0.25)
    assert options.limits.targets == (("channels", "asyncio"), ("store", "sqlite=x"))
    assert (options.outputs.verbosity, options.outputs.replace_baseline) == (-1, True)
    assert (options.outputs.junit_path, options.outputs.json_path) == (Path("j.xml"), Path("-"))
    assert (options.outputs.baseline_path, options.outputs.compare_path) == (Path("main"), Path("main"))
    assert options.outputs.thresholds == {"latency_p99_ns": 10.0, "wall_time_ns": 7.5}


def test_sessions_choose_different_seeds() -> None:
    seeds = {session_options(CommandLine()).selection.seed for _ in range(20)}

    assert len(seeds) > 1


@pytest.mark.parametrize(("processors", "workers"), [(1, 1), (2, 2), (64, 4)])
def test_there_are_as_many_workers_as_usable_processors_but_at_most_four(
    processors: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)), raising=False)

    assert session_options(CommandLine()).limits.workers == workers


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"workers": "0"}, "--workers takes a whole number of at least 1, not '0'"),
        ({"workers": "two"}, "--workers takes a whole number of at least 1, not 'two'"),
        ({"seed": "-1"}, "--seed takes a whole number of at least 0, not '-1'"),
        ({"seed": "²"}, "--seed takes a whole number of at least 0, not '²'"),
        ({"patterns": ["a and"]}, "--pattern: a phrase is missing after 'and'\n  a and\n       ^"),
        ({"excludes": ["(a"]}, '--exclude: there is no ")" for this'),
        ({"shard": "5/2"}, "--shard 5/2: there is no shard 5/2; they are 1/2 to 2/2"),
        ({"shard": "0/2"}, "--shard 0/2: there is no shard 0/2; they are 1/2 to 2/2"),
        ({"shard": "0/0"}, "the least number of shards is 1"),
        ({"shard": "half"}, "--shard 'half' is not of the form I/N, such as 1/3"),
        ({"shard": "-1/2"}, "--shard '-1/2' is not of the form I/N"),
        ({"order": "reverse"}, "--order is file or random, not 'reverse'"),
        ({"tiers": ["quick"]}, "--tier: there is no tier 'quick'; there are fast, standard, slow, infrastructure"),
        ({"categories": ["e2"]}, "--category: there is no kind 'e2'; did you mean e2e?"),
        ({"timeout": "-1"}, "--timeout: '-1' is not a duration; write a number and one of ns, us"),
        ({"timeout": "0"}, "--timeout '0' would end every case before it starts"),
        ({"targets": ["channels"]}, "--target 'channels' is not of the form NAME=VALUE"),
        ({"targets": ["a=b", "a=c"]}, "--target a is given as 'b' and as 'c'"),
        ({"compare": "x", "thresholds": ["p99"]}, "--threshold 'p99' is not of the form METRIC=PERCENT"),
        ({"compare": "x", "thresholds": ["wall_tim_ns=5"]}, "did you mean wall_time_ns"),
        ({"compare": "x", "thresholds": ["nonsense=5"]}, "there are throughput_per_s, wall_time_ns"),
        ({"compare": "x", "thresholds": ["wall_time_ns=abc"]}, "'abc' is not a percentage"),
        ({"compare": "x", "thresholds": ["wall_time_ns=-5"]}, "'-5' is not a percentage"),
        ({"compare": "x", "thresholds": ["wall_time_ns=nan"]}, "'nan' is not a percentage"),
        ({"thresholds": ["wall_time_ns=5"]}, "add --compare FILE"),
        ({"replace": True}, "add --baseline FILE"),
        ({"verbose": True, "quiet": True}, "contradict each other"),
        ({"junit": ""}, "--junit is given an empty file name"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_accepted_form(written: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        session_options(CommandLine(**written))

    assert message in str(caught.value)


def test_only_the_flags_given_select_kinds() -> None:
    assert kinds_of(unit=True, integration=False, e2e=False, performance=True, stress=False) == {
        Kind.UNIT,
        Kind.PERFORMANCE,
    }
