from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wfrun.measure.cgroup import memory_kills
from wfrun.measure.reading import Reading
from wfrun.runner.run.death import MemoryKills, explain_death
from wfrun.runner.run.outcomes import CapturedOutput

if TYPE_CHECKING:
    from pathlib import Path

KILLED = "its process was killed by SIGKILL"


@pytest.mark.parametrize(
    ("ran_out", "message"),
    [
        (True, f"{KILLED}: the system ran out of memory, or the control group's limit was reached"),
        (False, f"{KILLED}, which a process sent: memory had not run out"),
        (None, f"{KILLED}, sent by a process or for lack of memory: this system does not tell"),
    ],
)
def test_a_kill_says_whether_memory_ran_out(ran_out: bool | None, message: str) -> None:
    assert explain_death(KILLED, CapturedOutput("words\n"), memory_ran_out=ran_out).message == message


def test_without_stacks_the_output_stays_whole_and_nothing_is_added() -> None:
    death = explain_death("its process was killed by SIGTERM", CapturedOutput("words\n", 7))

    assert death.message == "its process was killed by SIGTERM"
    assert death.details == ""
    assert death.output == CapturedOutput("words\n", 7)


def test_a_fatal_error_without_frames_is_told_itself() -> None:
    text = "Fatal Python error: init failed\n\nCurrent thread 0x01 (most recent call first):\n  <no Python frame>\n"

    death = explain_death("its process was killed by SIGABRT", CapturedOutput(text))

    assert death.message == "its process was killed by SIGABRT: init failed"


def test_library_frames_are_not_where_it_was() -> None:
    text = (
        "Current thread 0x01 (most recent call first):\n"
        '  File "/venv/site-packages/numpy/core.py", line 3 in dot\n'
        '  File "/project/suite_sums.py", line 12 in sums\n'
    )

    assert explain_death("it died", CapturedOutput(text)).message == "it died, in sums (suite_sums.py:12)"


def test_memory_kills_are_counted_from_the_last_look() -> None:
    counts = iter([3, 3, 4, 4])
    kills = MemoryKills(lambda: Reading(next(counts)))

    assert [kills.happened() for _ in range(3)] == [False, True, False]


def test_the_tightest_group_tells_of_kills_in_either_version(tmp_path: Path) -> None:
    listing = tmp_path / "cgroup"
    listing.write_text("4:memory:/job\n0::/\n")
    folder = tmp_path / "mounts" / "memory" / "job"
    folder.mkdir(parents=True)
    (folder / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n")

    assert memory_kills(listing, tmp_path / "mounts").value == 5


def test_where_groups_do_not_tell_the_whole_system_does(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("pgfree 12\noom_kill 2\n")

    assert memory_kills(tmp_path / "cgroup", tmp_path, tmp_path / "vmstat") == (2, "of the whole system")


def test_where_nothing_tells_the_reason_is_given(tmp_path: Path) -> None:
    value, doubt = memory_kills(tmp_path / "cgroup", tmp_path, tmp_path / "vmstat")

    assert value is None
    assert "cgroup" in doubt
