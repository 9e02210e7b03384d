"""What looks slower than a baseline is held against the baseline's own commit before it fails a session."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.acceptance.conftest import Project
from tests.acceptance.test_against import APP, SUITE, committed, git, trees_of

pytestmark = pytest.mark.alone

SLOW_S = 0.01


@pytest.fixture(scope="module")
def recorded(module_project: Project) -> Project:
    """A project at a commit, with a baseline of a machine that was twice as fast that day."""
    git(module_project.folder, "init", "-q", "-b", "main")
    ignored = ".wfrun/\n__pycache__/\nbaselines/\n"
    module_project.write({"suites/suite_a.py": SUITE, "app.py": APP.format(SLOW_S), ".gitignore": ignored})
    committed(module_project)
    assert module_project.run("--performance", "--baseline", "main").code == 0
    baseline = module_project.json("baselines/main.json")
    (session,) = baseline["sessions"]
    for name, metric in session["cases"][0]["measurements"]["metrics"].items():
        if name in {"wall_time_ns", "total_time_ns"}:
            metric["floor"] /= 2
            metric["samples"] = [[each / 2 for each in process] for process in metric["samples"]]
    module_project.write({"baselines/main.json": json.dumps(baseline)})
    return module_project


def verdicts(project: Project) -> dict[str, dict[str, Any]]:
    rows = project.json("out.json")["comparison"]["rows"]
    return {row["metric"]: row for row in rows}


def test_a_slower_machine_is_not_slower_code(recorded: Project) -> None:
    ran = recorded.run("--performance", "--compare", "main", "--json", "out.json")

    assert ran.code == 0, ran.text
    row = verdicts(recorded)["wall_time_ns"]
    assert row["verdict"] in {"same", "inconclusive"}
    assert "but not beside its commit" in row["warnings"][-1]
    assert len(trees_of(recorded)) == 1


def test_slower_code_is(recorded: Project) -> None:
    recorded.write({"app.py": APP.format(1.5 * SLOW_S)})
    try:
        ran = recorded.run("--performance", "--compare", "main", "--json", "out.json")
    finally:
        recorded.write({"app.py": APP.format(SLOW_S)})

    assert ran.code == 3, ran.text
    assert verdicts(recorded)["wall_time_ns"]["verdict"] == "regressed"


def test_other_packages_may_be_the_reason_so_then_the_session_is_measured_once_more(recorded: Project) -> None:
    baseline = recorded.json("baselines/main.json")
    baseline["fingerprint"]["dependencies_hash"] = "others"
    recorded.write({"baselines/elsewhere.json": json.dumps(baseline)})

    ran = recorded.run("--performance", "--compare", "elsewhere")

    assert "dependencies hash differs" in ran.out
    assert "beside its commit" not in ran.out


def test_what_is_slower_beside_the_suite_is_not_asked_of_both_sides(recorded: Project) -> None:
    """Both would run it, and neither be slower than the other."""
    recorded.write({"suites/helper.py": "SLOW = True\n"})
    try:
        ran = recorded.run("--performance", "--compare", "main")
    finally:
        (recorded.folder / "suites" / "helper.py").unlink()

    assert "beside its commit" not in ran.out
