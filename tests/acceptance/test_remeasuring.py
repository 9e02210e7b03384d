"""A baseline of another machine: its commit is measured again here, as the other of two trees."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.conftest import Project
from tests.acceptance.test_against import APP, SUITE, committed, git, trees_of

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def recorded(module_project: Project) -> Project:
    """A project at a commit, with a baseline of another machine."""
    git(module_project.folder, "init", "-q", "-b", "main")
    ignored = ".wfrun/\n__pycache__/\nbaselines/\n"
    module_project.write({"suites/suite_a.py": SUITE, "app.py": APP.format(0.01), ".gitignore": ignored})
    committed(module_project)
    assert module_project.run("--performance", "--baseline", "main").code == 0
    baseline = module_project.json("baselines/main.json")
    baseline["fingerprint"]["cpu_model"] = "Abacus 2000"
    (session,) = baseline["sessions"]
    session["cases"].append({**session["cases"][0], "id": "a::long_gone", "title": "Long gone"})
    module_project.write({"baselines/main.json": json.dumps(baseline)})
    return module_project


def test_slower_code_is_found_although_the_machine_is_another(recorded: Project) -> None:
    recorded.write({"app.py": APP.format(0.015)})

    ran = recorded.run("--performance", "--compare", "main")

    assert ran.code == 3, ran.text
    assert "main.json is of another machine (cpu model differ), so its commit" in ran.out
    assert "was measured again here, beside the working tree" in ran.out
    assert "regressed" in ran.out
    assert "Long gone" in ran.out
    assert len(trees_of(recorded)) == 1
    assert recorded.run("--performance", "--compare", "main", "--fail-on", "none").code == 0


def test_what_was_accepted_holds_by_how_many_times_as_much_it_was(recorded: Project) -> None:
    recorded.write({"app.py": APP.format(0.015)})
    baseline = recorded.json("baselines/main.json")
    accepted = {"commit": "", "reason": "agreed", "accepted_by": "A", "accepted_at": None, "expires": None}
    names = ("wall_time_ns", "total_time_ns")
    baseline["accepted"] = [
        {"case_id": "a::work_case", "metric": name, "old": 1.0, "new": 1.6, **accepted} for name in names
    ]
    recorded.write({"baselines/agreed.json": json.dumps(baseline)})

    ran = recorded.run("--performance", "--compare", "agreed")

    assert ran.code == 0, ran.text
    assert "regressed (accepted)" in ran.out


def test_a_session_that_records_measures_alone(recorded: Project) -> None:
    recorded.write({"app.py": APP.format(0.01)})

    ran = recorded.run("--performance", "--compare", "main", "--baseline", "here")

    assert ran.code == 0, ran.text
    assert "is not measured again here: this session records a baseline too" in ran.out
    assert "times are not comparable, memory and counts are" in ran.out
