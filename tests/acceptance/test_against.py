"""Two trees side by side: ``wfrun --against``, over real repositories with real children.

The work under test is a sleep, which a neighbour on the machine hardly changes, and which is as long as the tree says.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
import pytest

from tests.acceptance.conftest import Project, until

if TYPE_CHECKING:
    from pathlib import Path

APP = "import time\ndef work() -> None:\n    time.sleep({})\n"
SUITE = """
from app import work

@suite.case("Work", kinds=["performance"])
def work_case() -> None:
    work()
"""
QUICK = ("--budget", "0.3s", "--threshold", "wall_time_ns=10")


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "protocol.file.allow=always")
    command = ["/usr/bin/env", "git", *identity, *words]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def committed(project: Project, message: str = "one") -> str:
    git(project.folder, "add", "-A")
    git(project.folder, "commit", "-q", "-m", message)
    return git(project.folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(project: Project) -> Project:
    """A project with a commit on main, in which the work takes two milliseconds."""
    git(project.folder, "init", "-q", "-b", "main")
    project.write({"suites/suite_a.py": SUITE, "app.py": APP.format(0.002), ".gitignore": ".wfrun/\n__pycache__/\n"})
    committed(project)
    return project


def trees_of(project: Project) -> list[str]:
    return git(project.folder, "worktree", "list").splitlines()


def test_uncommitted_slower_code_is_exit_code_3_and_leaves_nothing(repository: Project) -> None:
    repository.write({"app.py": APP.format(0.004)})

    ran = repository.run("--against", "main", *QUICK, "--json", "out.json", "--junit", "out.xml")

    assert ran.code == 3, ran.text
    assert "Compared with main" in ran.out
    assert "regressed" in ran.out
    assert len(trees_of(repository)) == 1
    assert "<failure" in repository.read("out.xml")
    assert repository.json("out.json")["exit_code"] == 3


def test_what_became_slower_is_named_with_file_and_line(repository: Project) -> None:
    before = "def step(n: int) -> int:\n    return n * n\n\ndef work() -> None:\n    for n in range({}): step(n)\n"
    repository.write({"app.py": before.format(2000)})
    committed(repository, "two")
    repository.write({"app.py": before.format(4000)})

    ran = repository.run("--against", "main", *QUICK)

    assert ran.code == 3, ran.text
    assert "step() in app.py:1 called 2,000 → 4,000 times" in ran.out


def test_the_same_code_is_exit_code_0(repository: Project) -> None:
    ran = repository.run("--against", "main", *QUICK)

    assert ran.code == 0, ran.text
    assert "regressed" not in ran.out


def test_two_commits_and_suites_of_the_working_tree(repository: Project) -> None:
    fast = git(repository.folder, "rev-parse", "HEAD")
    repository.write({"app.py": APP.format(0.004)})
    slow = committed(repository, "two")
    repository.write({"app.py": APP.format(0.009), "suites/suite_a.py": SUITE + "# changed\n"})

    ran = repository.run("--against", f"{slow}..{fast}", *QUICK)

    assert ran.code == 0, ran.text
    assert "improved" in ran.out, ran.out


def test_a_folder_instead_of_a_commit(repository: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("before") / "copy"
    shutil.copytree(repository.folder, other)
    repository.write({"app.py": APP.format(0.004)})
    shutil.rmtree(repository.folder / ".git")

    ran = repository.run("--against", str(other), *QUICK)

    assert ran.code == 3, ran.text
    assert "Compared with copy" in ran.out
    assert APP.format(0.002) == (other / "app.py").read_text()


def test_an_unknown_commit_says_the_nearest(repository: Project) -> None:
    ran = repository.run("--against", "mian")

    assert ran.code == 2
    assert "no commit, branch or tag is called 'mian'" in ran.err
    assert "did you mean main?" in ran.err


def test_outside_of_a_repository(project: Project) -> None:
    project.write(
        {"suites/suite_a.py": SUITE.replace("from app import work", "work = time.sleep").replace("()", "(0)")}
    )

    ran = project.run("--against", "main", env={"GIT_CEILING_DIRECTORIES": str(project.folder.parent)})

    assert ran.code == 2
    assert "is in no git repository" in ran.err


def test_a_shallow_clone_says_how_to_get_the_rest(
    repository: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = git(repository.folder, "rev-parse", "HEAD")
    repository.write({"app.py": APP.format(0.003)})
    committed(repository, "two")
    clone = tmp_path_factory.mktemp("clone") / "shallow"
    git(repository.folder, "clone", "-q", "--depth", "1", f"file://{repository.folder}", str(clone))

    ran = Project(clone).run("--against", first)

    assert ran.code == 2
    assert "git fetch --unshallow" in ran.err


def test_a_base_that_does_not_import_is_told_and_the_other_side_is_kept(repository: Project) -> None:
    repository.write({"app.py": "import not_there\n"})
    broken = committed(repository, "broken")
    repository.write({"app.py": APP.format(0.002)})

    ran = repository.run("--against", broken, *QUICK, "--json", "out.json")

    assert ran.code == 0, ran.text
    assert "not comparable" in ran.out
    assert "ModuleNotFoundError: No module named 'not_there'" in ran.out
    measured = repository.json("out.json")["outcomes"][0]["measurements"]["metrics"]
    assert measured["wall_time_ns"]["samples"]


def test_the_working_tree_that_fails_is_exit_code_1(repository: Project) -> None:
    repository.write({"app.py": "def work() -> None:\n    raise ValueError('broken now')\n"})

    ran = repository.run("--against", "main", *QUICK)

    assert ran.code == 1
    assert "broken now" in ran.out


def test_a_side_that_crashes_half_way(repository: Project) -> None:
    dying = "import os\ncalls = []\ndef work() -> None:\n    calls.append(1)\n    if len(calls) > 3: os._exit(7)\n"
    repository.write({"app.py": dying})

    ran = repository.run("--against", "main", *QUICK)

    assert ran.code == 1
    assert "exit code 7" in ran.out
    assert len(trees_of(repository)) == 1


def test_a_case_that_the_base_lacks_is_new(repository: Project) -> None:
    more = SUITE + '@suite.case("More", kinds=["performance"])\ndef more() -> None:\n    work()\n'
    repository.write({"suites/suite_a.py": more})

    ran = repository.run("--against", "main", *QUICK, "--suites-from-each", "--pattern", "More")

    assert ran.code == 0, ran.text
    assert "new" in ran.out
    assert "main has no such case" in ran.out


def test_what_is_not_committed_in_suites_is_there_on_both_sides(repository: Project) -> None:
    repository.write(
        {
            "suites/suite_b.py": SUITE.replace("work()", "assert DATA\n    work()").replace(
                "from app", "DATA = (__import__('pathlib').Path(__file__).parent / 'data.txt').read_text()\nfrom app"
            ),
            "suites/data.txt": "data",
        }
    )

    ran = repository.run("--against", "main", *QUICK, "suites/suite_b.py")

    assert ran.code == 0, ran.text
    assert "same" in ran.out or "inconclusive" in ran.out
    assert "not committed, so only the working tree has it" in ran.out


def test_a_submodule_is_checked_out_from_what_is_here(
    repository: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    library = tmp_path_factory.mktemp("library")
    git(library, "init", "-q", "-b", "main")
    (library / "library.py").write_text("PAUSE_S = 0.002\n")
    git(library, "add", "-A")
    git(library, "commit", "-q", "-m", "one")
    git(repository.folder, "submodule", "--quiet", "add", str(library), "lib")
    repository.write(
        {"app.py": "import time\nfrom lib.library import PAUSE_S\ndef work() -> None: time.sleep(PAUSE_S)\n"}
    )
    committed(repository, "with a library")
    (repository.folder / "lib" / "library.py").write_text("PAUSE_S = 0.004\n")
    shutil.rmtree(library)

    ran = repository.run("--against", "main", *QUICK)

    assert ran.code == 3, ran.text
    assert len(git(repository.folder / "lib", "worktree", "list").splitlines()) == 1


def test_code_from_the_wrong_tree_is_not_compared(repository: Project) -> None:
    # It puts the working tree first in what is imported, whichever side it is.
    cheat = f"import sys\nsys.path.insert(0, {str(repository.folder)!r})\n"
    repository.write({"suites/suite_a.py": SUITE.replace("from app", f"{cheat}from app")})

    ran = repository.run("--against", "main", *QUICK)

    assert "not comparable" in ran.out
    assert "main imported app from" in ran.out
    assert ran.code == 0


def test_ctrl_c_leaves_no_tree_and_no_child_and_keeps_what_was_measured(repository: Project) -> None:
    with repository.start("--against", "main", "--budget", "60s", "--verbose", "--json", "out.json") as started:
        started.said("process 2 of")
        children = psutil.Process(started.process.pid).children(recursive=True)
        assert children
        started.signal(signal.SIGINT)
        ran = started.end()

    assert ran.code == 130, ran.text
    until(lambda: not any(child.is_running() for child in children), "the end of every child")
    assert len(trees_of(repository)) == 1
    assert repository.json("out.json")["outcomes"][0]["measurements"] is not None


def test_a_killed_session_leaves_a_tree_that_the_next_one_takes_away(repository: Project) -> None:
    with repository.start("--against", "main", "--budget", "60s", "--verbose") as started:
        started.said("process 1 of")
        started.signal(signal.SIGKILL)
        started.end()
    assert len(trees_of(repository)) == 2

    ran = repository.run("--against", "main", *QUICK)

    assert ran.code == 0, ran.text
    assert len(trees_of(repository)) == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not pin processes")
def test_one_core_is_enough(repository: Project) -> None:
    core = {min(os.sched_getaffinity(0))}

    ran = repository.run("--against", "main", *QUICK, preexec_fn=lambda: os.sched_setaffinity(0, core))

    assert ran.code == 0, ran.text


@pytest.mark.timeout(400)
def test_each_side_gets_the_environment_that_the_command_makes(repository: Project) -> None:
    made = "import pathlib, sys; pathlib.Path(sys.prefix, 'made').write_text('x'); print('made it')"
    script = f"import pathlib\npathlib.Path('ran.txt').touch()\n{made}\n"
    suite = SUITE.replace(
        "    work()", "    import pathlib, sys\n    assert pathlib.Path(sys.prefix, 'made').exists()\n    work()"
    )
    repository.write({"setup_it.py": script, "suites/suite_a.py": suite})
    committed(repository, "with its own environment")

    first = repository.run("--against", "main", *QUICK, "--setup", "python setup_it.py", patience_s=200)
    (repository.folder / "ran.txt").unlink()
    second = repository.run("--against", "main", *QUICK, "--setup", "python setup_it.py", patience_s=200)

    assert first.code == 0, first.text
    assert second.code == 0, second.text
    assert not (repository.folder / "ran.txt").exists(), "an environment is kept"


def test_a_setup_that_fails_says_what_it_printed(repository: Project) -> None:
    ran = repository.run("--against", "main", "--setup", f"{sys.executable} -c 'print(\"no such wheel\"); exit(4)'")

    assert ran.code == 2
    assert "ended with exit code 4" in ran.err
    assert "no such wheel" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--setup", "true"), "--setup says how --against measures"),
        (("--performance", "--budget", "0s"), "some sampling time"),
        (("--against", "main", "--compare", "x"), "--against measures both sides now"),
        (("--against", "main", "--budget", "0s"), "some sampling time"),
        (("--against", "main", "--budget", "soon"), "--budget"),
        (("--against", "main", "--profile"), "--against compares figures"),
        (("--against", "main", "--setup", "'"), "is no command"),
    ],
)
def test_what_cannot_be_meant_is_refused(repository: Project, words: tuple[str, ...], message: str) -> None:
    ran = repository.run(*words)

    assert ran.code == 2
    assert message in ran.err


def test_a_shared_fixture_is_made_from_each_sides_own_code(repository: Project) -> None:
    shared = """
from app import work
import app, os

@suite.fixture(scope="shared")
def pause():
    yield {"file": app.__file__, "pid": os.getpid()}

@suite.case("Work", kinds=["performance"])
def work_case(pause) -> None:
    assert pause["file"] == app.__file__
    work()
"""
    repository.write({"suites/suite_a.py": shared, "app.py": APP.format(0.004)})

    ran = repository.run("--against", "main", *QUICK)

    assert ran.code == 3, ran.text
