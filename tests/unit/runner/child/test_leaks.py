from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.runner.child.counts import DescriptorCount
from wfrun.runner.child.held import held_by
from wfrun.runner.child.leaks import LeakWatch

if TYPE_CHECKING:
    from pathlib import Path


class Pool:
    """Holds things as a client's pool does: deep inside, on a loop, with a way to everything else."""

    def __init__(self, *things: Any) -> None:
        self._slots = {"free": list(things)}
        self._loop = asyncio.get_running_loop()
        self.module = sys


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])


async def test_nothing_is_left_by_a_case_that_does_nothing() -> None:
    watch = LeakWatch()
    watch.mark()

    assert await watch.left() == []


async def test_a_task_that_a_wider_fixture_started_is_not_the_cases() -> None:
    fixture = asyncio.create_task(asyncio.sleep(1000))
    watch = LeakWatch()
    watch.mark()
    forgotten = asyncio.create_task(asyncio.sleep(1000), name="left")

    leaks = await watch.left()

    assert [leak.thing for leak in leaks] == [forgotten]
    assert not fixture.done()
    fixture.cancel()


async def test_a_left_task_is_ended_and_does_not_reach_the_next_case() -> None:
    watch = LeakWatch()
    watch.mark()
    task = asyncio.create_task(asyncio.sleep(1000))
    await watch.left()

    assert task.cancelled()
    watch.mark()
    assert await watch.left() == []


async def test_what_a_wider_fixture_can_reach_is_its_own() -> None:
    with contextlib.ExitStack() as stack:
        watch = LeakWatch()
        watch.mark()
        pooled, left = (stack.enter_context(socket.socket()) for _ in range(2))
        process = sleeper()
        stack.callback(process.wait)
        stack.callback(process.kill)
        pool = Pool(pooled, process)
        watch.holders = lambda: [pool]

        leaks = await watch.left()

        assert [leak.thing for leak in leaks] == [left.fileno()]
        assert process.poll() is None


async def test_a_file_of_another_name_than_the_contexts_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    watch = LeakWatch(str(tmp_path))
    watch.mark()
    (tmp_path / "wfrun-folder").mkdir()
    (tmp_path / "mine").touch()

    assert [leak.name for leak in await watch.left()] == ["temporary file mine"]


async def test_a_kind_that_is_allowed_is_not_looked_for() -> None:
    watch = LeakWatch()
    watch.mark()
    over = threading.Event()
    threading.Thread(target=over.wait).start()

    assert await watch.left(["threads"]) == []
    over.set()


async def test_of_a_case_that_failed_nothing_is_named_and_processes_are_ended() -> None:
    watch = LeakWatch()
    watch.mark()
    process = sleeper()

    assert await watch.left(judged=False) == []
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    process.wait()


async def test_without_the_count_of_descriptors_the_lowest_free_one_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wfrun.runner.child.counts.descriptor_count", DescriptorCount("/nowhere"))
    monkeypatch.setattr("wfrun.runner.child.leaks._descriptors", list)
    watch = LeakWatch()
    watch.mark()
    before = watch._grown()
    with socket.socket():
        assert (before, watch._grown()) == (False, True)


def test_modules_and_loops_lead_nowhere() -> None:
    with socket.socket() as unrelated:
        holder = {"module": sys.modules[__name__], "function": held_by, "unrelated": None}
        globals()["_kept_by_the_module"] = unrelated

        assert held_by([holder]).descriptors == set()

        holder["unrelated"] = unrelated
        assert held_by([holder]).descriptors == {unrelated.fileno()}
    del globals()["_kept_by_the_module"]
