"""The run over real child processes, and over channels that do not keep their promises."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wfrun.authoring.info import Kind
from wfrun.concurrency.channel import Channel
from wfrun.errors import ExitCode
from wfrun.measure.histogram import Histogram
from wfrun.runner.child.messages import Status
from wfrun.runner.discover.discover import discover
from wfrun.runner.options import Limits, MeasureProtocol, Outputs, Selection, SessionOptions
from wfrun.runner.plan.plan import make_plan
from wfrun.runner.run.events import CaseFinished, CaseStarted, RunEvent
from wfrun.runner.run.outcomes import RunResult
from wfrun.runner.run.run import run_plan
from wfrun.runner.session import run_session

HEADER = "import asyncio, os, sys, time\nfrom wfrun import Suite\nsuite = Suite('S')\n"
FEW = MeasureProtocol(generations=2, sampling_s=0.02, min_repetitions=2)


def write_suite(folder: Path, name: str, body: str) -> Path:
    file = folder / "suites" / f"suite_{name}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HEADER + body)
    return file


async def run(folder: Path, kind: Kind = Kind.E2E, **limits: Any) -> tuple[RunResult, list[RunEvent]]:
    discovery = await discover([folder / "suites"])
    assert discovery.failures == ()
    plan = make_plan(discovery.cases, Selection(frozenset({kind}), seed=5), timeout_s=20)
    events: list[RunEvent] = []
    result = await run_plan(plan, replace(Limits(workers=2, protocol=FEW), **limits), events.append)
    return result, events


def statuses(result: RunResult) -> dict[str, Status]:
    return {outcome.case.info.id: outcome.status for outcome in result.outcomes}


CASES = "".join(f"@suite.case()\nasync def case_{number}(): await asyncio.sleep(0)\n" for number in range(5))


async def test_every_case_has_one_outcome_and_suites_run_side_by_side(tmp_path: Path) -> None:
    for name in "abc":
        write_suite(tmp_path, name, CASES)

    result, events = await run(tmp_path)

    assert len(result.outcomes) == 15
    assert result.faults == ()
    assert set(statuses(result).values()) == {Status.PASSED}
    assert {event.worker for event in events if isinstance(event, CaseStarted)} == {0, 1}


async def test_cases_of_one_suite_share_a_process_and_others_may_have_their_own(tmp_path: Path) -> None:
    write_suite(
        tmp_path,
        "a",
        "@suite.case()\ndef one(context): context.note('pid', os.getpid())\n"
        "@suite.case()\ndef two(context): context.note('pid', os.getpid())\n"
        "@suite.case(own_process=True)\ndef three(context): context.note('pid', os.getpid())\n",
    )

    result, _ = await run(tmp_path)

    pids = {outcome.case.info.id: outcome.notes["pid"] for outcome in result.outcomes}
    assert pids["a::one"] == pids["a::two"]
    assert os.getpid() != pids["a::three"] != pids["a::one"]


async def test_a_crash_is_the_result_of_its_case_alone(tmp_path: Path) -> None:
    write_suite(
        tmp_path,
        "a",
        "@suite.case()\ndef before(): pass\n"
        "@suite.case()\ndef crash():\n    print('last words')\n    os.kill(os.getpid(), 11)\n"
        "@suite.case()\ndef after(): pass\n",
    )

    result, _ = await run(tmp_path)

    assert statuses(result) == {"a::before": Status.PASSED, "a::crash": Status.CRASHED, "a::after": Status.PASSED}
    crash = result.failed[0]
    assert crash.message == "its process was killed by SIGSEGV, in crash (suite_a.py:9)"
    assert crash.output.text == "last words\n"
    assert "Segmentation fault" in crash.details
    assert "in crash" in crash.details


async def test_output_belongs_to_the_case_that_wrote_it(tmp_path: Path) -> None:
    body = "".join(
        f"@suite.case()\ndef case_{n}():\n    print('out {n}')\n    os.write(2, b'err {n}\\n')\n" for n in range(3)
    )
    write_suite(tmp_path, "a", body)

    result, _ = await run(tmp_path)

    assert [outcome.output.text for outcome in result.outcomes] == [f"out {n}\nerr {n}\n" for n in range(3)]


async def test_with_fail_fast_nothing_starts_after_a_failure(tmp_path: Path) -> None:
    write_suite(tmp_path, "a", "@suite.case()\ndef one(): assert False\n@suite.case()\ndef two(): pass\n")
    write_suite(tmp_path, "b", "@suite.benchmark()\ndef three(): pass\n")

    result, _ = await run(tmp_path, fail_fast=True, workers=1)

    assert statuses(result) == {"a::one": Status.FAILED, "a::two": Status.NOT_RUN}
    assert result.faults == ()


async def test_a_measured_case_is_repeated_in_fresh_processes_on_changing_cores(tmp_path: Path) -> None:
    write_suite(
        tmp_path,
        "a",
        "@suite.benchmark()\nasync def quick(context):\n    context.count(10)\n    context.record_latency_ns(1000)\n"
        "    context.note('pid', os.getpid())\n    assert context.measured\n",
    )

    result, _ = await run(tmp_path, Kind.PERFORMANCE)

    (outcome,) = result.outcomes
    assert outcome.status is Status.PASSED
    assert len(outcome.generations) == len(outcome.control) == 2
    for generation in outcome.generations:
        samples = generation.samples
        assert len(samples["wall_time_ns"]) >= 2
        assert samples["items"] == [10] * len(samples["wall_time_ns"])
        assert samples["latency_p50_ns"] == [1000], "one of a whole process"
        assert Histogram.from_pairs(generation.latency).count == len(samples["wall_time_ns"])
        assert samples["peak_rss_bytes"][0] > 2**20
        assert len(generation.calibration_ns) > 0
    cores = sorted(os.sched_getaffinity(0))
    assert [generation.cpu for generation in outcome.generations] == [cores[0], cores[1 % len(cores)]]


async def test_what_a_measured_case_needs_beyond_its_item_shows_in_its_peak(tmp_path: Path) -> None:
    write_suite(
        tmp_path,
        "a",
        "@suite.benchmark()\ndef large():\n    block = bytearray(64 * 2**20)\n    block[::4096] = b'x' * 16384\n",
    )

    result, _ = await run(tmp_path, Kind.PERFORMANCE)

    (outcome,) = result.outcomes
    peaks = [generation.samples["peak_rss_bytes"][0] for generation in outcome.generations]
    empty = [generation.samples["peak_rss_bytes"][0] for generation in outcome.control]
    assert 60 * 2**20 < min(peaks) - max(empty) < 80 * 2**20


async def test_a_measured_case_that_fails_is_not_started_again(tmp_path: Path) -> None:
    write_suite(tmp_path, "a", "@suite.benchmark()\ndef fails(): assert 1 == 2\n")

    result, events = await run(tmp_path, Kind.PERFORMANCE)

    (outcome,) = result.outcomes
    assert outcome.status is Status.FAILED
    assert outcome.generations == ()
    assert sum(isinstance(event, CaseFinished) for event in events) == 1


async def test_a_suite_that_loads_differently_in_each_process_is_refused(tmp_path: Path) -> None:
    write_suite(tmp_path, "a", "@suite.case(f'title {os.getpid()}')\ndef one(): pass\n")

    result, _ = await run(tmp_path)

    (outcome,) = result.outcomes
    assert outcome.status is Status.ERROR
    assert "its suite loads differently each time" in outcome.message


async def test_seeds_do_not_depend_on_what_else_runs(tmp_path: Path) -> None:
    body = "@suite.case()\ndef one(context): context.note('random', context.random.random())\n"
    write_suite(tmp_path / "alone", "a", body)
    write_suite(tmp_path / "many", "a", body + CASES)

    alone, _ = await run(tmp_path / "alone")
    many, _ = await run(tmp_path / "many")

    assert alone.outcomes[0].notes == next(o.notes for o in many.outcomes if o.case.info.id == "a::one")


class Dropping(Channel[Any]):
    """Loses the second item sent."""

    count = 0

    async def send(self, item: Any, timeout_s: float | None = None) -> None:
        type(self).count += 1
        if type(self).count != 2:
            await super().send(item, timeout_s=timeout_s)


class Doubling(Channel[Any]):
    """Delivers the second item sent twice."""

    count = 0

    async def send(self, item: Any, timeout_s: float | None = None) -> None:
        type(self).count += 1
        await super().send(item, timeout_s=timeout_s)
        if type(self).count == 2:
            await super().send(item, timeout_s=timeout_s)


class ClosingEarly(Channel[Any]):
    """Closes itself after the second item."""

    count = 0

    async def send(self, item: Any, timeout_s: float | None = None) -> None:
        type(self).count += 1
        await super().send(item, timeout_s=timeout_s)
        if type(self).count == 2:
            self.close()


@pytest.mark.parametrize("mutant", [Dropping, Doubling, ClosingEarly])
@pytest.mark.parametrize("kinds", [{Kind.E2E}, {Kind.PERFORMANCE}])
def test_a_channel_that_breaks_its_promise_turns_the_session_red(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mutant: type[Channel[Any]],
    kinds: set[Kind],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "abc":
        write_suite(tmp_path, name, CASES + "@suite.benchmark()\ndef speed(): pass\n")
    broken = type(mutant.__name__, (mutant,), {"count": 0, "__slots__": ()})
    limits = Limits(workers=1, protocol=FEW)
    options = SessionOptions((), Selection(frozenset(kinds)), limits, Outputs(verbosity=-1))

    assert run_session(options) is ExitCode.OK
    assert run_session(options, broken) is ExitCode.INTERNAL

    assert "outcome" in capsys.readouterr().out


async def test_cancelling_a_run_leaves_no_process_behind(tmp_path: Path) -> None:
    write_suite(
        tmp_path,
        "a",
        f"@suite.case()\nasync def hangs():\n    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "    await asyncio.sleep(1000)\n",
    )
    started = asyncio.create_task(run(tmp_path))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)
    pid = int((tmp_path / "pid").read_text())

    started.cancel()
    with pytest.raises(asyncio.CancelledError):
        await started

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
