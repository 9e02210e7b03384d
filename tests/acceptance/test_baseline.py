"""This repository's own baseline, and a slow-down put into the pipeline that it guards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.alone

REPOSITORY = Path(__file__).parents[2]
COMMITTED = REPOSITORY / "baselines" / "workflow-baseline.json"
PIPELINE = ("--performance", "--pattern", "High-throughput workflow")
TRIES = 3

SLOWED = """

_digest_packet = digest_packet


def digest_packet(packet):
    for _ in range({turns}):
        pass
    return _digest_packet(packet)
"""


def wfrun(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in ``folder``."""
    command = [str(Path(sys.executable).parent / "wfrun"), *arguments]
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "160"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )


def compared(folder: Path, *arguments: str) -> tuple[int, str]:
    """Compare until something is shown: on a machine that is busy elsewhere wfrun says that it cannot tell."""
    for _ in range(TRIES):
        run = wfrun(folder, *PIPELINE, "--compare", *arguments)
        throughput = next(line for line in run.stdout.splitlines() if "throughput_per_s" in line)
        if "inconclusive" not in throughput:
            break
    return run.returncode, run.stdout + run.stderr


def copy_suites(folder: Path) -> Path:
    shutil.copytree(REPOSITORY / "suites", folder / "suites", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_committed_baseline_is_complete_and_unchanged_code_agrees_with_it() -> None:
    """On another kind of machine its times are not compared, which is an agreement too."""
    baseline = json.loads(COMMITTED.read_text())
    listed = json.loads(wfrun(REPOSITORY, "list", "--performance", "--json").stdout)

    assert {case["id"] for session in baseline["sessions"] for case in session["cases"]} == {
        case["id"] for case in listed["cases"]
    }
    code, told = compared(REPOSITORY, COMMITTED.name)
    assert code == 0, told


@pytest.mark.long
def test_a_pipeline_that_got_a_fifth_slower_is_a_regression_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    folder = copy_suites(tmp_path)
    recorded = wfrun(folder, *PIPELINE, "--baseline", "before")
    assert recorded.returncode == 0, recorded.stdout
    before = json.loads((folder / "baselines" / "before.json").read_text())

    unchanged = compared(folder, "before")
    packets = folder / "suites" / "complete_workflows" / "packets.py"
    packets.write_text(packets.read_text() + SLOWED.format(turns=turns_for(0.2 * time_per_item_ns(before))))
    slowed = compared(folder, "before")

    assert unchanged[0] == 0, unchanged[1]
    assert slowed[0] == 3, slowed[1]
    assert "regressed" in slowed[1]


def time_per_item_ns(baseline: dict[str, Any]) -> float:
    (case,) = baseline["sessions"][0]["cases"]
    return 1e9 / float(case["measurements"]["metrics"]["throughput_per_s"]["floor"])


def turns_for(duration_ns: float) -> int:
    """Return how many turns of an empty loop take ``duration_ns`` on this machine when nothing disturbs it."""
    turns = 100_000
    fastest_ns = min(_timed_ns(turns) for _ in range(20))
    return round(duration_ns * turns / fastest_ns)


def _timed_ns(turns: int) -> int:
    start_ns = time.perf_counter_ns()
    for _ in range(turns):
        pass
    return time.perf_counter_ns() - start_ns
