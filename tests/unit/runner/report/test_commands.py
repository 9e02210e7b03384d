from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from wfrun.authoring.info import Kind
from wfrun.runner.plan.plan import case_seed
from wfrun.runner.plan.turns import turn_of
from wfrun.runner.report.commands import Commands
from wfrun.runner.run.reproduce import Proof, Reproduction

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.runner.report.conftest import Make


@pytest.mark.parametrize(
    ("kinds", "measured", "flag"),
    [
        ((Kind.PERFORMANCE,), True, "--performance"),
        ((Kind.E2E, Kind.PERFORMANCE), True, "--performance"),
        ((Kind.STRESS,), True, "--stress"),
        ((Kind.E2E, Kind.PERFORMANCE), False, None),
    ],
)
def test_a_measured_case_is_run_again_as_what_it_was(
    make: Make, kinds: tuple[Kind, ...], measured: bool, flag: str | None
) -> None:
    case = make.case(measured=measured, kinds=kinds)

    words = Commands().command([case]).split()

    assert [word for word in words if word in {"--performance", "--stress"}] == ([] if flag is None else [flag])


def test_what_changes_how_a_case_runs_is_in_the_command(make: Make) -> None:
    case = make.case()

    command = Commands(("--target", "orders=my staging", "--timeout", "5s")).command([case])

    assert command.endswith("--seed 7 --target 'orders=my staging' --timeout 5s")


def test_cases_of_several_files_run_in_one_process_in_their_order(make: Make) -> None:
    first, last = make.case("B", file="/x/suite_b.py"), make.case("A", file="/x/suite_a.py")

    command = Commands().command([first, last])

    cases = "--case load/suite_load::b --case load/suite_load::a"
    assert command == f"wfrun /x/suite_b.py /x/suite_a.py {cases} --seed 7 --workers 1"


def test_a_turn_with_a_seed_of_its_own_is_repeated_by_that_seed(make: Make) -> None:
    plan = make.plan(make.case())

    (same,) = turn_of(plan, 5).cases
    (other,) = turn_of(replace(plan, new_seeds=True), 5).cases

    assert "--seed 7" in Commands().command([same])
    assert "--seed 11" in Commands().command([other])
    assert (same.seed, other.seed) == (99, case_seed(11, other.info.id))


def test_a_long_list_of_cases_goes_to_a_file(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cases = [make.case(f"Case {number}") for number in range(30)]

    words = shlex.split(Commands().command(cases))

    file = words[words.index("--case") + 1]
    assert file.startswith("@.wfrun/")
    assert (tmp_path / file[1:]).read_text().splitlines() == [case.info.id for case in cases]


@pytest.mark.parametrize(
    ("proof", "with_others", "said"),
    [
        (Proof.RAN_SO, False, ["to run it again:"]),
        (Proof.CAME_BACK, False, ["failed again alone"]),
        (Proof.CAME_BACK, True, ["passes alone, and failed again after 1 case"]),
        (Proof.PASSED_ALONE, True, ["it passes alone; with what ran before it (not tried)"]),
        (Proof.UNTRIED, True, ["alone (not tried)", "with what ran before it (not tried)"]),
        (Proof.STAYED_AWAY, True, ["does not fail each time"]),
    ],
)
def test_a_command_says_what_is_known_of_it(make: Make, proof: Proof, with_others: bool, said: list[str]) -> None:
    case, other = make.case("Last"), make.case("Other")
    found = Reproduction(case, proof, (other,) if with_others else ())

    hints = Commands().hints(found)

    assert len(hints) == len(said)
    assert all(part in hint.about for part, hint in zip(said, hints, strict=True))
    assert ("other" in hints[-1].command) is with_others
