"""Process workers in programs of their own: killed parents, main modules, other loops, nested children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import asyncio, os, signal, sys, time
from wfrun.concurrency.processes.workers import ProcessWorkers

class Job:
    def __init__(self, number): self.number = number

def work(job):
    return Job(job.number * 2)

def nap(duration_s):
    time.sleep(duration_s)

def nested(number):
    return asyncio.run(double(number))

async def double(number):
    async with ProcessWorkers(work, workers=1) as workers:
        await workers.send(Job(number))
        return (await workers.receive()).result().number

async def objects():
    async with ProcessWorkers(work, workers=1) as workers:
        await workers.send(Job(21))
        print((await workers.receive()).result().number)

async def inside():
    async with ProcessWorkers(nested, workers=1) as workers:
        await workers.send(4)
        print((await workers.receive()).result())

async def wait():
    async with ProcessWorkers(nap, workers=2) as workers:
        await workers.send_many([600.0, 600.0])
        await asyncio.sleep(0.05)
        print(*workers.statistics().processes, flush=True)
        await workers.receive()

async def interrupted():
    async with ProcessWorkers(work, workers=2) as workers:
        os.killpg(0, signal.SIGINT)
        await asyncio.sleep(0.05)
        await workers.send(Job(4))
        print((await workers.receive()).result().number, workers.statistics().restarts)

"""


def run(tmp_path: Path, ending: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", str(write(tmp_path, ending))],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )


def write(tmp_path: Path, ending: str) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM + ending, encoding="utf-8")
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a busy child ends when it next looks at its pipe")
def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = write(tmp_path, "if __name__ == '__main__': asyncio.run(wait())")
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as parent:
        assert parent.stdout is not None
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        parent.send_signal(signal.SIGKILL)
        parent.wait()

    gone, alive = psutil.wait_procs(children, timeout=10)
    # A process of another parent stays a zombie until that parent looks; it is dead all the same.
    assert len(gone) + sum(child.status() == psutil.STATUS_ZOMBIE for child in alive) == 2


def test_functions_and_classes_of_the_main_module_travel(tmp_path: Path) -> None:
    result = run(tmp_path, "if __name__ == '__main__': asyncio.run(objects())")

    assert (result.stdout, result.stderr) == ("42\n", "")


def test_a_main_module_without_its_guard_is_refused_and_not_started_forever(tmp_path: Path) -> None:
    started = time.perf_counter()
    result = run(tmp_path, "asyncio.run(objects())")

    assert "put that under if __name__ == '__main__'" in result.stderr
    assert time.perf_counter() - started < 20


def test_a_worker_may_have_workers(tmp_path: Path) -> None:
    result = run(tmp_path, "if __name__ == '__main__': asyncio.run(inside())")

    assert (result.stdout, result.stderr) == ("8\n", "")


def test_uvloop_runs_them_as_well(tmp_path: Path) -> None:
    pytest.importorskip("uvloop")

    result = run(tmp_path, "if __name__ == '__main__':\n    import uvloop\n    uvloop.run(objects())")

    assert (result.stdout, result.stderr) == ("42\n", "")


def test_an_interrupt_of_the_terminal_is_the_parents_to_handle(tmp_path: Path) -> None:
    """Ctrl-C goes to the whole process group."""
    ending = (
        "if __name__ == '__main__':\n    signal.signal(signal.SIGINT, lambda *_: None)\n    asyncio.run(interrupted())"
    )

    result = run(tmp_path, ending)

    assert (result.stdout, result.stderr) == ("8 0\n", "")


def test_a_program_that_was_typed_in_is_told_to_use_a_module() -> None:
    code = "def f(x): return x\nfrom wfrun.concurrency.processes.workers import ProcessWorkers\nProcessWorkers(f)"

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )

    assert "FunctionNotImportable: __main__.f was typed in, not read from a file" in result.stderr


def test_functions_and_classes_of_a_file_that_no_path_leads_to_travel(tmp_path: Path) -> None:
    """As test runners load files: under a dotted name whose packages do not exist."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "jobs.py").write_text(PROGRAM, encoding="utf-8")
    loader = tmp_path / "loader.py"
    loader.write_text(LOADER, encoding="utf-8")

    result = subprocess.run(
        [sys.executable, "-W", "error", str(loader)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )

    assert (result.stdout, result.stderr) == ("42\n", "")


LOADER = """
import asyncio, importlib.util, pathlib, sys, types
if __name__ == "__main__":
    file = pathlib.Path(__file__).parent / "hidden" / "jobs.py"
    spec = importlib.util.spec_from_file_location("no.such.jobs", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules.update({"no": types.ModuleType("no"), "no.such": types.ModuleType("no.such"), "no.such.jobs": module})
    spec.loader.exec_module(module)
    asyncio.run(module.objects())
"""
