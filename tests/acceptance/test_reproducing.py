"""The command that a failure prints, run as it stands, makes the case fail again."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project, Ran

SEEDED: Final = """
@suite.case("It's a matter of chance")
def by_chance(context):
    assert context.random.random() < 0.5
"""
POLLUTED: Final = """
left_behind = []

@suite.case(parameters={"number": list(range(20))})
def harmless(number): pass

@suite.case()
def leaves_something(): left_behind.append("a file")

@suite.case(parameters={"number": list(range(3))})
def harmless_too(number): pass

@suite.case()
def expects_order(): assert not left_behind
"""


def commands(ran: Ran) -> list[str]:
    """The commands that a session printed."""
    return re.findall(r"^ {8}(wfrun .*)$", ran.out, re.MULTILINE)


def run_again(project: Project, command: str) -> Ran:
    return project.run(*shlex.split(command)[1:])


def test_a_failure_that_the_seed_decides_comes_back(project: Project) -> None:
    project.write({"suites/suite_chance.py": SEEDED})
    ran = next(ran for seed in range(64) if (ran := project.run("--seed", str(seed))).code == 1)

    (command,) = commands(ran)
    again = run_again(project, command)

    assert "--seed" in command
    assert again.code == 1
    assert "1 failed" in again.out


def test_a_failure_that_an_earlier_case_caused_comes_back_with_that_case(project: Project) -> None:
    project.write({"suites/suite_order.py": POLLUTED})
    ran = project.run("--seed", "3")

    (command,) = commands(ran)
    again = run_again(project, command)

    # How few are left depends on how fast the machine is: a session spends seconds on this and no more.
    assert "it passes alone" in ran.out
    assert again.code == 1
    assert "1 failed" in again.out
    assert "assert not left_behind" in again.out


def test_a_failure_that_a_case_of_another_file_caused_comes_back(project: Project) -> None:
    project.write(
        {
            "suites/suite_first.py": "@suite.case()\ndef leaves_something(): sys.left = True\n",
            "suites/suite_second.py": "@suite.case()\ndef expects_order(): assert not hasattr(sys, 'left')\n",
        }
    )

    (command,) = commands(project.run("--workers", "1"))

    assert "first::leaves_something" in command
    assert run_again(project, command).code == 1


def test_the_options_that_matter_are_in_the_command(project: Project) -> None:
    project.write({"suites/suite_slow.py": "@suite.case()\nasync def hangs(): await asyncio.sleep(60)\n"})

    (command,) = commands(project.run("--timeout", "3s", "--target", "channels=asyncio", "-q", "--junit", "out.xml"))

    assert command.endswith("--timeout 3s --target channels=asyncio")
    assert "junit" not in command
    assert "still running after 3 s" in run_again(project, command).out


def test_case_takes_these_cases_in_this_order(project: Project) -> None:
    project.write({"suites/suite_order.py": POLLUTED})

    victim_last = project.run("--case", "order::leaves_something", "--case", "order::expects_order")
    victim_first = project.run("--case", "order::expects_order", "--case", "order::leaves_something")

    assert victim_last.code == 1
    assert victim_first.code == 0
    assert "2 passed · 23 not selected" in victim_first.out


def test_case_reads_ids_from_a_file(project: Project) -> None:
    project.write({"suites/suite_order.py": POLLUTED, "ids.txt": "order::expects_order\n\norder::leaves_something\n"})

    assert "2 passed" in project.run("--case", "@ids.txt").out
    assert project.run("--case", "@nothing.txt").code == 2


def test_case_takes_a_case_that_can_only_be_measured(project: Project) -> None:
    project.write({"suites/suite_speed.py": "@suite.benchmark()\ndef speed(): assert 1 == 2\n"})

    (command,) = commands(project.run("--performance"))

    assert "--performance" in command
    assert run_again(project, command).code == 1
    assert "1 failed" in project.run("--case", "speed::speed").out


@pytest.mark.parametrize("more", [(), ("--case", "order::expects_order")])
def test_an_id_that_is_nobodys_runs_nothing(project: Project, more: tuple[str, ...]) -> None:
    project.write({"suites/suite_order.py": POLLUTED})

    ran = project.run("--case", "order::expect_order", *more)

    assert ran.code == 4
    assert "no case here has the id order::expect_order; did you mean order::expects_order" in ran.err


def test_a_case_that_fails_every_other_time_is_not_blamed_on_others(project: Project) -> None:
    project.write(
        {
            "suites/suite_odd.py": "@suite.case()\ndef other(): pass\n"
            "@suite.case()\ndef odd():\n    open('n', 'a').write('x')\n    assert os.path.getsize('n') % 2 == 0\n"
        }
    )

    ran = project.run()

    assert "it does not fail each time, whatever runs before it; to run it until it fails:" in ran.out
    (command,) = commands(ran)
    assert command.endswith("--until-failed")
    assert run_again(project, command).code == 1


def test_a_merged_record_has_the_commands_of_its_shards(project: Project) -> None:
    project.write({f"suites/suite_{name}.py": f"@suite.case()\ndef {name}(): assert 1 == 2\n" for name in "ab"})
    for number in (1, 2):
        project.run("--shard", f"{number}/2", "--seed", "3", "--json", f"{number}.json", "--timeout", "9s")

    merged = project.run("merge", "1.json", "2.json", "--html", "merged.html")

    assert commands(merged) == [
        f"wfrun suites/suite_{name}.py --case {name}::{name} --seed 3 --timeout 9s" for name in "ab"
    ]
    assert "--case b::b --seed 3 --timeout 9s" in project.read("merged.html")
