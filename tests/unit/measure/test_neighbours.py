from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from wfrun.measure import neighbours
from wfrun.measure.neighbours import Neighbours, busy_s

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.alone

LOOK_S = 0.5

WATCH = f"""
import time
from wfrun.measure.neighbours import Neighbours
print("ready", flush=True)
watched = Neighbours()
time.sleep({LOOK_S})
print(watched.share().value)
"""

SPIN = "import time; end = time.perf_counter() + 5\nwhile time.perf_counter() < end: pass"


def spin(duration_s: float) -> None:
    end_s = time.perf_counter() + duration_s
    while time.perf_counter() < end_s:
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what others do")
def test_a_busy_program_elsewhere_is_noticed() -> None:
    with subprocess.Popen([sys.executable, "-c", WATCH], stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == "ready\n"
        spin(LOOK_S)
        share = float(watching.stdout.read())

    # Held against what it must be at least, as this machine may be busy besides.
    assert 0.6 / (os.cpu_count() or 1) < share <= 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what others do")
def test_own_work_and_that_of_processes_below_is_not_anybody_elses() -> None:
    def taken() -> tuple[float, float]:
        before_s = busy_s().value
        watched = Neighbours()
        with subprocess.Popen([sys.executable, "-c", SPIN]) as child:
            spin(LOOK_S)
            share = watched.share().value
            child.kill()
        after_s = busy_s().value
        assert share is not None
        assert before_s is not None
        assert after_s is not None
        return share, (after_s - before_s) / LOOK_S / (os.cpu_count() or 1)

    others, everybody = min(taken() for _ in range(3))

    assert everybody > 1.2 / (os.cpu_count() or 1), "two processes were busy"
    assert others < everybody - 1.2 / (os.cpu_count() or 1) + 0.1


def test_where_the_system_does_not_tell_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(neighbours, "_PROC", tmp_path)

    share, doubt = Neighbours().share()

    assert share is None
    assert "what other programs do is not known" in doubt
