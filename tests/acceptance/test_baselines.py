"""A baseline from its making to its verdicts: what is believed, what is refused, and that it is never half a file.

Measuring takes seconds, so the sessions that measure are few, and each test looks at one side of them.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.conftest import Project

pytestmark = pytest.mark.alone

GIT: Final = shutil.which("git") or "git"
WORK: Final = """
from app import work

@suite.benchmark("Fixed work")
def fixed_work():
    work()
"""
APP: Final = """
import time

def work():
    # What takes the same time however busy the machine is.
    time.sleep({})
"""
OTHER: Final = """
@suite.case("Breaks on demand")
def breaks(): assert "BREAK" not in os.environ
"""


@pytest.fixture(scope="module")
def recorded(module_project: Project) -> Project:
    """A project with the baseline ``main``, at a commit."""
    suites = {"suites/suite_work.py": WORK, "suites/suite_other.py": OTHER}
    module_project.write({**suites, "app.py": APP.format(0.005), ".gitignore": "baselines/\n"})
    git(module_project.folder, "init", "--quiet")
    git(module_project.folder, "add", ".")
    git(module_project.folder, "commit", "--quiet", "--message", "first")
    ran = module_project.run("--performance", "--baseline", "main")
    assert (ran.code, ran.err) == (0, "")
    assert "main.json: 1 case added, its first session" in ran.out
    return module_project


def git(folder: Path, *arguments: str) -> None:
    identity = {
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    subprocess.run(
        [GIT, *arguments], cwd=folder, env={**os.environ, **identity}, check=True, capture_output=True, timeout=30
    )


@contextmanager
def slower(recorded: Project, times: int) -> Iterator[None]:
    """Have code in the working tree that takes so many times as long as what is committed."""
    recorded.write({"app.py": APP.format(0.005 * times)})
    try:
        yield
    finally:
        recorded.write({"app.py": APP.format(0.005)})


def altered(recorded: Project, name: str, **changes: Any) -> dict[str, Any]:
    """Write another baseline that differs from the recorded one, and return it."""
    baseline = {**copy.deepcopy(recorded.json("baselines/main.json")), **changes}
    recorded.write({f"baselines/{name}.json": json.dumps(baseline)})
    return baseline


# What is measured again


def test_unchanged_work_is_no_regression(recorded: Project) -> None:
    ran = recorded.run("--performance", "--compare", "main", "--threshold", "wall_time_ns=15", "--junit", "out.xml")

    assert ran.code == 0
    assert "Fixed work" in ran.out
    assert '<testsuite name="regressions"' in recorded.read("out.xml")
    assert "wall_time_ns went from " not in recorded.read("out.xml")


def test_slower_work_is_exit_code_3(recorded: Project) -> None:
    files = ("--junit", "out.xml", "--json", "out.json", "--html", "out.html", "--markdown", "out.md")
    with slower(recorded, 4):
        ran = recorded.run("--performance", "--compare", "main", *files, env={"GITHUB_ACTIONS": "true"})

    assert ran.code == 3
    assert "1 case got worse: measured again in fresh processes" in ran.out
    assert "wall_time_ns went from " in recorded.read("out.xml")
    kept = {row["metric"]: row for row in recorded.json("out.json")["comparison"]["rows"]}
    assert (kept["wall_time_ns"]["verdict"], kept["wall_time_ns"]["fails"]) == ("regressed", True)
    assert len(kept["wall_time_ns"]["old_samples"]) > 1
    assert '<header class="bad">' in recorded.read("out.html")
    assert "| wall\\_time\\_ns |" in recorded.read("out.md").partition("the same</summary>")[0]
    assert "::error file=suites/suite_work.py,line=" in ran.out


def test_a_failure_beats_a_regression(recorded: Project) -> None:
    arguments = ["--performance", "--e2e", "--compare", "main"]
    with slower(recorded, 4):
        ran = recorded.run(*arguments, env={"BREAK": "yes"})

    assert ran.code == 1
    assert "FAIL  Things · Breaks on demand" in ran.out
    assert "1 case got worse: measured again in fresh processes" in ran.out


def test_another_machines_times_are_not_judged_and_gone_cases_are_named(recorded: Project) -> None:
    baseline = recorded.json("baselines/main.json")
    fingerprint = {**baseline["fingerprint"], "cpu_model": "Abacus 2000"}
    case = baseline["sessions"][0]["cases"][0]
    renamed = {**case, "id": "work::fixed_work_as_it_was_called"}
    gone = {**case, "id": "work::long_gone", "title": "Long gone", "source_hash": "0"}
    session = {**baseline["sessions"][0], "cases": [renamed, gone]}
    unreachable = {**baseline["source"], "sha": "c0ffee" * 6 + "c0ff"}
    altered(recorded, "elsewhere", fingerprint=fingerprint, sessions=[session], source=unreachable)

    with slower(recorded, 2):
        ran = recorded.run("--performance", "--compare", "elsewhere")

    assert ran.code == 0
    assert "times are not comparable, memory and counts are: " in ran.out
    assert "Abacus 2000" in ran.out
    assert "cannot be measured again here: commit c0ffeec0ff is not in this repository" in ran.out
    assert "work::fixed_work_as_it_was_called is gone; renamed to work::fixed_work?" in ran.out
    assert "Long gone" in ran.out


# What is refused before anything is measured


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mian", None, "there is no baseline "),
        ("empty", "", "is empty; restore it from version control, or record it anew"),
        ("text", "not JSON at all", "is not a baseline: it is not even JSON"),
        ("list", "[]", 'is JSON, but not a baseline: field "format" is missing'),
        ("record", '{"format": "wfrun-session"}', "is the record of a session (--json), not a baseline"),
        ("newer", '{"format": "wfrun-baseline", "schema_version": 99}', "was written by a newer wfrun (schema 99"),
        ("shape", '{"format": "wfrun-baseline", "schema_version": 1}', "has another shape than expected: field "),
    ],
)
def test_what_is_no_baseline_is_refused(recorded: Project, name: str, content: str | None, message: str) -> None:
    if content is not None:
        recorded.write({f"baselines/{name}.json": content})

    ran = recorded.run("--performance", "--compare", name)

    assert ran.code == 2
    assert message in ran.err
    assert f"baselines/{name}.json" in ran.err
    assert "Traceback" not in ran.text
    assert ran.out == ""


def test_a_baseline_that_is_cut_short_is_refused(recorded: Project) -> None:
    whole = recorded.read("baselines/main.json")
    recorded.write({"baselines/cut.json": whole[: len(whole) // 2]})

    ran = recorded.run("--performance", "--compare", "cut")

    assert ran.code == 2
    assert "is cut short" in ran.err


@pytest.mark.parametrize(
    ("field", "changes", "message"),
    [
        ("source", {"sha": "c0ffee" * 6 + "c0ff"}, "it was taken at commit c0ffeec0ff, and this is "),
        ("source", {"dirty": True, "diff_hash": "abc"}, "the working tree differs from commit "),
        ("fingerprint", {"cpu_model": "Abacus 2000"}, "it was taken on another machine (cpu_model 'Abacus 2000' there"),
    ],
)
def test_a_stranger_is_not_added_to_and_this_is_said_before_measuring(
    recorded: Project, field: str, changes: dict[str, Any], message: str
) -> None:
    baseline = recorded.json("baselines/main.json")
    altered(recorded, "stranger", **{field: {**baseline[field], **changes}})
    before = recorded.read("baselines/stranger.json")

    ran = recorded.run("--performance", "--baseline", "stranger")

    assert ran.code == 2
    assert message in ran.err
    assert "--replace overwrites it, another name keeps both" in ran.err
    assert ran.out == ""
    assert recorded.read("baselines/stranger.json") == before


# What cannot be written


@pytest.fixture
def full_disk(recorded: Project) -> Iterator[Path]:
    """A real file system without room for a baseline, holding one."""
    folder = recorded.folder / "full"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("only root can mount a file system")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False, timeout=10)
    if mounted.returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    try:
        shutil.copy(recorded.folder / "baselines" / "main.json", folder / "kept.json")
        with (folder / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(1024))
            except OSError:
                pass
        yield folder
    finally:
        subprocess.run([umount, "--lazy", str(folder)], check=True, timeout=10)


def test_a_full_disk_leaves_the_old_baseline_whole(recorded: Project, full_disk: Path) -> None:
    before = (full_disk / "kept.json").read_bytes()

    ran = recorded.run("--performance", "--baseline", "full/kept.json", "--replace", "--junit", "full/out.xml")

    assert ran.code == 2
    assert "No space left on device; the file that was there is unchanged" in ran.out
    assert "Traceback" not in ran.text
    assert (full_disk / "kept.json").read_bytes() == before
    assert sorted(path.name for path in full_disk.iterdir()) == ["filler", "kept.json"]
    assert json.loads(before)["format"] == "wfrun-baseline"
