"""Process groups end when the process that watched over them ends without taking them back."""

from __future__ import annotations

import subprocess
import sys

import psutil  # type: ignore[import-untyped]

PROGRAM = """
import os, subprocess, sys
from wfrun.runner.child.guardian import Guardian
guardian, SLEEP = Guardian(), ["sleep", "60"]
watched, forgotten = (subprocess.Popen(SLEEP, start_new_session=True, stdout=-3, stderr=-3) for _ in range(2))
for process in (watched, forgotten):
    guardian.watch(process.pid)
guardian.forget(forgotten.pid)
print(watched.pid, forgotten.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_watched_group_ends_and_a_forgotten_one_stays() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=False)
    watched, forgotten = map(int, ended.stdout.split())

    try:
        psutil.wait_procs([psutil.Process(watched)] if psutil.pid_exists(watched) else [], timeout=20)

        assert not psutil.pid_exists(watched) or psutil.Process(watched).status() == psutil.STATUS_ZOMBIE
        assert psutil.Process(forgotten).is_running()
    finally:
        psutil.Process(forgotten).kill()
