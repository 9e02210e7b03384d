"""What ``--profile`` says of a case, and the files it leaves."""

from __future__ import annotations

import pstats
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

CASES: Final = """
KEPT = []

def dear():
    total = 0
    for number in range(300_000):
        total += number * number
    return total

@suite.case()
async def works():
    held = [bytes(1000) for _ in range(3000)]
    dear()
    KEPT.append(bytearray(50_000))
    await asyncio.sleep(0)

@suite.case()
def fails_at_last():
    KEPT.append(1)
    assert KEPT.count(1) < 3

@suite.case()
def fails(): assert False
"""


def test_profile_names_the_functions_and_lines_that_take_time_and_memory(project: Project) -> None:
    project.write({"suites/suite_a.py": CASES})

    ran = project.run("--profile", "-k", "works", "--json", "record.json")

    (outcome,) = project.json("record.json")["outcomes"]
    functions, lines, peak, growth, where = outcome["findings"]
    assert ran.code == 0
    assert "dear  suites/suite_a.py:7" in functions.splitlines()[1]
    assert "suites/suite_a.py:10  total += number * number" in lines
    assert peak.startswith("memory held at most, ")
    assert "suites/suite_a.py:15  held = [bytes(1000) for _ in range(3000)]" in peak
    assert growth.splitlines()[0] == "memory kept by each of 5 passes, by line:"
    assert "2 times  suites/suite_a.py:17  KEPT.append(bytearray(50_000))" in growth.splitlines()[1]
    assert where == "in full: .wfrun/profile/a-works"
    assert "dear  suites/suite_a.py:7" in ran.out


def test_profile_leaves_files_that_other_programs_open(project: Project) -> None:
    project.write({"suites/suite_a.py": CASES})

    project.run("--profile", "-k", "works")

    folder = ".wfrun/profile/a-works"
    stats: Any = pstats.Stats(str(project.folder / folder / "cpu.pstats"))
    scope = project.json(f"{folder}/cpu.speedscope.json")
    frames, profile = scope["shared"]["frames"], scope["profiles"][0]
    assert any(name == "dear" for _, _, name in stats.stats)
    assert scope["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert len(profile["samples"]) == len(profile["weights"]) > 0
    assert profile["endValue"] > 0
    assert all(0 <= number < len(frames) for stack in profile["samples"] for number in stack)
    assert "dear" in {frames[stack[-1]]["name"] for stack in profile["samples"]}
    assert not any("wfrun/runner" in frame["file"] for frame in frames)
    assert "Things · Works" in project.read(f"{folder}/profile.txt")


def test_a_profile_beside_the_other_tools_is_as_quick(project: Project) -> None:
    """Debugging traces every allocation from the start, which must not be gone through at each look."""
    project.write({"suites/suite_a.py": CASES})

    for arguments in (("--debug",), ("--debug", "--trace", "--coverage", "--in-process")):
        ran = project.run("--profile", "-k", "works", *arguments)

        assert ran.code == 0
        assert "2 times  suites/suite_a.py:17  KEPT.append(bytearray(50_000))" in ran.out


def test_a_case_that_does_not_pass_is_not_profiled(project: Project) -> None:
    project.write({"suites/suite_a.py": CASES})

    ran = project.run("--profile", "-k", "fails")

    assert ran.code == 1
    assert "not profiled, as it did not pass" in ran.out
    assert "it passed at first, and then failed while it was profiled" in ran.out
    assert "2 failed" in ran.out


def test_a_profile_is_never_part_of_a_baseline(project: Project) -> None:
    project.write({"suites/suite_a.py": "@suite.benchmark()\ndef work(): pass\n"})

    for option in ("--baseline", "--compare"):
        ran = project.run("--profile", "--performance", option, "main")

        assert ran.code == 2
        assert f"--profile changes what a case costs, so nothing is measured with it; leave out {option}" in ran.err
    assert not (project.folder / "baselines").exists()
