"""Whatever a case does to its process, it has its own result, and the cases after it have theirs.

One session runs all the trouble; each test looks at one case of it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.acceptance.conftest import WFRUN, gone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.conftest import Project, Ran

KIB: Final = 1 if sys.platform == "darwin" else 1024
"""Unit of the kernel's figure."""

EXITED_1: Final = "its process ended with exit code 1 in the middle of the case"

# In the suites below every troublemaker is followed by a case that must pass in spite of it.
ENDS: Final = """
import ctypes, faulthandler

@suite.case()
def exits_hard(): os._exit(3)

@suite.case()
def after_hard_exit(): pass

@suite.case()
def is_killed(): os.kill(os.getpid(), signal.SIGKILL)

@suite.case()
def after_kill(): pass

@suite.case()
async def segfaults():
    print("last words")
    ctypes.string_at(0)

@suite.case()
def after_segfault(): pass

@suite.case()
async def exits_softly(): sys.exit(7)

@suite.case()
async def interrupts_itself(): raise KeyboardInterrupt

@suite.case()
async def ends_as_a_generator(): raise GeneratorExit

@suite.case()
def exits_softly_and_plain(): raise SystemExit("enough")

@suite.case()
async def cancels_itself(): raise asyncio.CancelledError

@suite.case()
async def after_odd_errors(): pass
"""

TALKS: Final = r"""
class Unspeakable(Exception):
    def __str__(self): raise RuntimeError("no words")
    __repr__ = __str__

@suite.case()
def raises_the_unspeakable(): raise Unspeakable

@suite.case()
def raises_a_surrogate(): raise ValueError("half a pair: \ud800")

@suite.case()
def says_nothing_for_an_answer(context):
    loop = []
    loop.append(loop)
    context.note("loop", loop)
    context.note("large", 2 ** 80)
    context.note("unspeakable", Unspeakable())
    context.note("half", "\ud800")
    context.note("bytes", b"\xff")

@suite.case()
def floods():
    line = "x" * 1023 + "\n"
    for _ in range(100 * 1024):
        sys.stdout.write(line)

@suite.case()
def prints_bytes_that_are_no_text(): os.write(1, b"\xff\xfe\x00\x1b[2J\n")

@suite.case()
def closes_stdout():
    print("before")
    sys.stdout.close()

@suite.case()
def after_closed_stdout(): print("still heard")

@suite.case()
def closes_descriptor_1():
    os.close(1)
    os.close(2)

@suite.case()
def after_closed_descriptor(): print("heard again")

@suite.case()
def goes_away(context):
    os.chdir(context.folder)

@suite.case()
def after_going_away():
    assert os.path.isdir("suites")

@suite.case()
def writes_to_every_descriptor():
    for descriptor in range(3, 50):
        try:
            os.write(descriptor, b"rubbish rubbish rubbish rubbish ")
        except OSError:
            pass

@suite.case()
def after_rubbish(): pass

@suite.case()
async def closes_every_descriptor(): os.closerange(3, 50)

@suite.case()
def after_closing_every_descriptor(): pass
"""

FIXTURES: Final = """
@suite.fixture
def broken_set_up():
    raise ValueError("no room")

@suite.fixture
async def broken_tear_down():
    yield 1
    raise ValueError("no way back")

@suite.fixture
async def never_torn_down():
    yield 1
    await asyncio.sleep(1000)

@suite.fixture
async def torn_down_first():
    yield 1

@suite.case()
def set_up_fails(broken_set_up): pass

@suite.case()
def tear_down_fails(broken_tear_down): pass

@suite.case()
def fails_and_tear_down_fails(broken_tear_down): assert 1 == 2

@suite.case()
def tear_down_hangs(never_torn_down, torn_down_first): pass

@suite.case()
def after_fixtures(): pass
"""

LEAVINGS: Final = """
@suite.case()
async def leaves_a_task():
    async def stay():
        await asyncio.sleep(1000)
    globals()["kept"] = asyncio.create_task(stay())

@suite.case()
def leaves_a_daemon_thread():
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()

@suite.case()
def leaves_a_child(context):
    context.note("pid", subprocess.Popen(["sleep", "1000"]).pid)

@suite.case()
def leaves_a_child_in_a_session_of_its_own(context):
    context.note("pid", subprocess.Popen(["sleep", "1000"], start_new_session=True).pid)

@suite.case()
def after_leavings(): pass

@suite.case()
def crashes_beside_its_child():
    with open("child.pid", "w") as file:
        file.write(str(subprocess.Popen(["sleep", "1000"]).pid))
    os._exit(1)

@suite.case()
def leaves_a_thread():
    threading.Thread(target=time.sleep, args=(1000,)).start()
"""


@pytest.fixture(scope="module")
def session(module_project: Project) -> tuple[Ran, Mapping[str, Any]]:
    module_project.write(
        {
            "suites/suite_ends.py": ENDS,
            "suites/suite_talks.py": TALKS,
            "suites/suite_fixtures.py": FIXTURES,
            "suites/suite_leavings.py": LEAVINGS,
        }
    )
    ran = module_project.run("--json", "record.json", "--workers", "2")
    return ran, module_project.json("record.json")


@pytest.fixture(scope="module")
def outcomes(session: tuple[Ran, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {outcome["id"].partition("::")[2]: outcome for outcome in session[1]["outcomes"]}


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        (
            "exits_hard",
            "crashed",
            "its process ended with exit code 3 in the middle of the case, in exits_hard (suite_ends.py:8)",
        ),
        ("is_killed", "crashed", "its process was killed by SIGKILL, which a process sent: memory had not run out"),
        ("segfaults", "crashed", "its process was killed by SIGSEGV, in segfaults (suite_ends.py:22)"),
        ("exits_softly", "failed", "SystemExit: 7"),
        ("exits_softly_and_plain", "failed", "SystemExit: enough"),
        ("interrupts_itself", "failed", "KeyboardInterrupt"),
        ("ends_as_a_generator", "failed", "GeneratorExit"),
        ("cancels_itself", "failed", "CancelledError"),
        (
            "raises_the_unspeakable",
            "failed",
            "Unspeakable: (its text cannot be had: RuntimeError in its __str__)",
        ),
        ("raises_a_surrogate", "failed", "ValueError: half a pair: \\ud800"),
        (
            "closes_every_descriptor",
            "crashed",
            "its process closed the descriptors to wfrun and ended in the middle of the case",
        ),
        ("set_up_fails", "error", "set-up failed: ValueError: no room"),
        ("tear_down_fails", "error", "tear-down failed: ValueError: no way back"),
        ("fails_and_tear_down_fails", "failed", "assert 1 == 2"),
        (
            "tear_down_hangs",
            "error",
            "tear-down failed: TimeoutError: tear-down of never_torn_down did not end within 5 s",
        ),
        (
            "crashes_beside_its_child",
            "crashed",
            f"{EXITED_1}, in crashes_beside_its_child (suite_leavings.py:30)",
        ),
    ],
)
def test_the_trouble_is_told(outcomes: Mapping[str, Any], name: str, status: str, message: str) -> None:
    assert (outcomes[name]["status"], outcomes[name]["message"]) == (status, message)


@pytest.mark.parametrize(
    "name",
    [
        "says_nothing_for_an_answer",
        "floods",
        "prints_bytes_that_are_no_text",
        "closes_stdout",
        "closes_descriptor_1",
        "goes_away",
    ],
)
def test_what_is_odd_and_no_mistake_passes(outcomes: Mapping[str, Any], name: str) -> None:
    assert (outcomes[name]["status"], outcomes[name]["message"]) == ("passed", "")


def test_every_case_after_trouble_passes(outcomes: Mapping[str, Any]) -> None:
    after = {name: outcome["status"] for name, outcome in outcomes.items() if name.startswith("after_")}

    assert len(after) == 11
    assert set(after.values()) == {"passed"}


def test_the_session_is_red_and_whole(session: tuple[Ran, Mapping[str, Any]]) -> None:
    ran, record = session

    assert ran.code == 1
    assert ran.err == ""
    assert record["faults"] == []
    assert len(record["outcomes"]) == record["planned"]


def test_rubbish_in_the_channel_to_the_parent_is_found_out(outcomes: Mapping[str, Any]) -> None:
    outcome = outcomes["writes_to_every_descriptor"]

    assert outcome["status"] == "crashed"
    assert outcome["message"].startswith("its answer was damaged: ")


def test_last_words_and_the_place_of_a_crash_are_kept(outcomes: Mapping[str, Any]) -> None:
    outcome = outcomes["segfaults"]

    assert outcome["output"] == "last words\n"
    assert outcome["details"].startswith("the end of its process: Segmentation fault\nCurrent thread")
    assert outcome["details"].endswith("in segfaults")


def test_a_flood_keeps_both_ends_and_counts_the_rest(outcomes: Mapping[str, Any]) -> None:
    outcome = outcomes["floods"]

    assert len(outcome["output"]) < 70_000
    assert outcome["output_dropped_bytes"] == 100 * 2**20 - 64 * 2**10


def test_a_flood_stays_out_of_the_memory_of_wfrun(project: Project) -> None:
    """The most memory of wfrun, or of a process it waited for if that had more."""
    flood = TALKS[TALKS.index("@suite.case()\ndef floods") : TALKS.index("@suite.case()\ndef prints_bytes")]
    project.write({"suites/suite_flood.py": flood})

    # Started by a small process: what a process holds as it starts another is counted as the other's.
    script = "import os, subprocess, sys; print(os.wait4(subprocess.Popen(sys.argv[1:], stdout=2).pid, 0)[1:])"
    ran = subprocess.run(
        [sys.executable, "-c", script, WFRUN],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=45,
    )

    found = re.search(r"^\((\d+), .*ru_maxrss=(\d+)", ran.stdout)
    assert found is not None
    assert found[1] == "0", ran.stderr
    assert int(found[2]) * KIB < 200 * 2**20


def test_what_json_cannot_carry_arrives_as_text(outcomes: Mapping[str, Any]) -> None:
    notes = outcomes["says_nothing_for_an_answer"]["notes"]

    assert notes["large"] == str(2**80)
    assert notes["unspeakable"] == "<Unspeakable without a text>"
    assert notes["half"] == "\\ud800"
    assert notes["bytes"] == r"b'\xff'"


@pytest.mark.parametrize(
    ("name", "output"), [("after_closed_stdout", "still heard\n"), ("after_closed_descriptor", "heard again\n")]
)
def test_a_closed_output_is_open_again_for_the_next_case(outcomes: Mapping[str, Any], name: str, output: str) -> None:
    assert outcomes[name]["output"] == output


def test_both_errors_of_a_case_are_shown(outcomes: Mapping[str, Any]) -> None:
    details = outcomes["fails_and_tear_down_fails"]["details"]

    assert "assert 1 == 2" in details
    assert "during tear-down:" in details
    assert "ValueError: no way back" in details


def test_only_the_tear_down_that_did_not_end_is_named(session: tuple[Ran, Any], outcomes: Mapping[str, Any]) -> None:
    assert outcomes["tear_down_hangs"]["unfinished_teardowns"] == ["never_torn_down"]
    assert "tear-down did not finish: never_torn_down" in session[0].out


def test_processes_that_cases_left_are_gone(module_project: Project, outcomes: Mapping[str, Any]) -> None:
    left = [outcomes[name]["notes"]["pid"] for name in outcomes if name.startswith("leaves_a_child")]
    left.append(int(module_project.read("child.pid")))

    assert len(left) == 3
    for pid in left:
        gone(pid)
