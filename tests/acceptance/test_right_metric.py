"""What got worse turns red on the metric that is about it, and on none that is not.

Work is mostly sleeping, which takes as long however busy the machine is; each case is compared with itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

pytestmark = [pytest.mark.alone, pytest.mark.long]

WORSE: Final = {"WORSE": "1", "COLUMNS": "160"}
SUITE: Final = """
WORSE = "WORSE" in os.environ
passes = 0
kept = []

def operations(context, times, duration_s):
    for number in range(times):
        time.sleep(duration_s(number))
        # Told, not taken: a busy machine has stalls of its own, as many as there are slow operations here.
        context.record_latency_ns(round(duration_s(number) * 1e9) + context.random.randrange(10_000))
    context.count(times)

@suite.benchmark("A fifth takes twice as long")
def a_fifth(context):
    operations(context, 10, lambda number: 0.008 if WORSE and number % 5 == 0 else 0.004)

@suite.benchmark("A rare stall")
def a_stall(context):
    time.sleep(0.005)
    for number in range(100):
        stalled = WORSE and number % 50 == 7
        context.record_latency_ns(context.random.randrange(1_000_000, 1_010_000) + 5_000_000 * stalled)
    context.count(100)

@suite.benchmark("Two modes")
def two_modes(context):
    global passes
    passes += 1
    time.sleep(0.01 if WORSE and passes % 3 == 0 else 0.005)
    context.count(1)

@suite.benchmark("More objects")
def more_objects(context):
    time.sleep(0.005)
    return [[number] * 20 for number in range(260 if WORSE else 200)]

@suite.benchmark("More calls")
def more_calls(context):
    time.sleep(0.005)
    for _ in range(130 if WORSE else 100):
        encode()

def encode():
    return None

@suite.benchmark("As before")
def as_before(context):
    operations(context, 10, lambda number: 0.001)
"""


@pytest.mark.parametrize(
    ("case", "red", "never_red"),
    [
        (
            "a_fifth",
            {"total_time_ns", "throughput_per_s", "latency_p95_ns"},
            {"latency_p50_ns", "function_calls", "loop_handles", "allocated_bytes", "peak_rss_bytes"},
        ),
        (
            "a_stall",
            {"latency_p99_ns"},
            {"latency_p50_ns", "latency_p95_ns", "wall_time_ns", "total_time_ns", "throughput_per_s", "function_calls"},
        ),
        ("two_modes", {"total_time_ns", "throughput_per_s"}, {"wall_time_ns", "function_calls", "allocated_bytes"}),
        (
            "more_objects",
            {"allocated_bytes", "allocated_peak_bytes"},
            {"wall_time_ns", "total_time_ns", "function_calls", "peak_rss_bytes", "memory_slope_bytes"},
        ),
        ("more_calls", {"function_calls"}, {"wall_time_ns", "total_time_ns", "allocated_bytes", "memory_slope_bytes"}),
        ("as_before", set(), {"wall_time_ns", "total_time_ns", "latency_p99_ns", "function_calls", "allocated_bytes"}),
    ],
)
def test_the_right_metric_turns_red(project: Project, case: str, red: set[str], never_red: set[str]) -> None:
    project.write({"suites/suite_work.py": SUITE})
    chosen = ("--performance", "--case", f"work::{case}", "--budget", "2.4s")
    assert project.run(*chosen, "--baseline", "b", patience_s=120).code == 0

    ran = project.run(*chosen, "--compare", "b", "--verbose", env=WORSE, patience_s=120)

    regressed = set(re.findall(r"^ +([a-z0-9_]+) .* regressed *$", ran.out, re.MULTILINE))
    assert red <= regressed, ran.out
    assert not never_red & regressed, ran.out
    assert ran.code == (3 if red else 0), ran.out


def test_what_changed_is_named_with_its_file_and_line(project: Project) -> None:
    project.write({"suites/suite_work.py": SUITE})
    chosen = ("--performance", "--case", "work::more_calls", "--budget", "2.4s")
    assert project.run(*chosen, "--baseline", "b", patience_s=120).code == 0

    ran = project.run(*chosen, "--compare", "b", "--markdown", "report.md", env=WORSE, patience_s=120)

    line = 1 + (project.folder / "suites/suite_work.py").read_text().split("def encode()")[0].count("\n")
    told = f"why function_calls of More calls: encode() in suites/suite_work.py:{line} called 100 → 130 times"
    assert told in ran.out
    assert f"encode() in suites/suite\\_work.py:{line} called 100 → 130 times" in project.read("report.md")


def test_counts_gate_on_another_machine_where_times_cannot(project: Project) -> None:
    project.write({"suites/suite_work.py": SUITE})
    chosen = ("--performance", "--case", "work::more_calls", "--budget", "2.4s")
    assert project.run(*chosen, "--baseline", "b", patience_s=120).code == 0
    text = project.read("baselines/b.json")
    project.write({"baselines/b.json": re.sub(r'"cpu_model": *"[^"]*"', '"cpu_model": "another"', text)})

    ran = project.run(*chosen, "--compare", "b", "--verbose", env=WORSE, patience_s=120)

    assert ran.code == 3, ran.out
    assert re.search(r"^ +function_calls .* regressed *$", ran.out, re.MULTILINE)
    assert re.search(r"^ +wall_time_ns .* not comparable *$", ran.out, re.MULTILINE)


LEAKS: Final = """
kept = []

@suite.benchmark("Leaks")
async def leaks(): kept.append(bytes(1000))

@suite.benchmark("Is clean")
async def is_clean():
    await asyncio.sleep(0)
    return [bytes(1000) for _ in range(10)]
"""


def test_memory_left_behind_is_told_without_a_baseline(project: Project) -> None:
    project.write({"suites/suite_memory.py": LEAKS})

    ran = project.run("--performance", "--budget", "2.4s", "--json", "record.json")

    leaks, clean = project.json("record.json")["outcomes"]
    assert ran.code == 0
    assert re.search(r"memory: each repetition leaves 1\.\d+ KiB behind \(.* to 1\.\d+ KiB\)", ran.out)
    (slope,) = leaks["measurements"]["metrics"]["memory_slope_bytes"]["samples"][0]
    assert 1000 <= slope <= 1200
    assert clean["measurements"]["metrics"]["memory_slope_bytes"]["samples"] == [[0]]
    assert not clean.get("findings")


NOT_COUNTED: Final = """
@suite.benchmark("Is fast, or fails")
def fast():
    # As under the counters alone: they are what makes it slow.
    assert sys.getprofile() is None, "too slow"

@suite.benchmark("Is fast, where it is timed")
def timed(context):
    assert context.counted or sys.getprofile() is None, "too slow"
"""


def test_a_case_that_fails_under_the_counters_is_none_the_worse(project: Project) -> None:
    project.write({"suites/suite_fast.py": NOT_COUNTED})

    ran = project.run("--performance", "--budget", "2.4s", "--json", "record.json", env={"COLUMNS": "200"})

    fails, holds = project.json("record.json")["outcomes"]
    assert ran.code == 0
    assert fails["status"] == "passed"
    assert "function_calls" not in fails["measurements"]["metrics"]
    assert "function_calls" in holds["measurements"]["metrics"]
    assert "! fast::fast: not counted, as under the counters it failed: " in ran.out
    assert "! fast::timed" not in ran.out
