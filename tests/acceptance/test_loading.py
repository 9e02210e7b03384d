"""A suite file that does not load is told and makes the session red; every other file runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.acceptance.conftest import gone

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project, Ran

GOOD: Final = "@suite.case()\ndef good(): pass\n"


BAD: Final = {
    "no_module": ("import nowhere_to_be_found\n", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    "raises": ("1 / 0\n", "ZeroDivisionError: division by zero"),
    "no_python": ("def broken(:\n", "SyntaxError: "),
    "exits": ("sys.exit('not today')\n", "SystemExit: not today"),
    "interrupts": ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    "exits_hard": ("print('bye')\nos._exit(4)\n", "its process ended with exit code 4 while it was being imported"),
    "crashes": (
        "os.kill(os.getpid(), signal.SIGSEGV)\n",
        "its process was killed by SIGSEGV while it was being imported",
    ),
    "closes": (
        "os.closerange(0, 50)\n",
        "its process closed the descriptors to wfrun and ended while it was being imported",
    ),
    "twice": (
        "@suite.case()\ndef one(): pass\n@suite.case()\ndef one(): pass\n",
        "DuplicateCase: 'twice::one' is at ",
    ),
    "unknown": ("@suite.case()\ndef one(contxt): pass\n", "UnknownFixture: "),
    "declares": ("@suite.case(kinds='slow')\ndef one(): pass\n", "BadDeclaration: "),
    "computes": ("while True:\n    pass\n", "still being imported after 2 s, so it was stopped; --timeout sets the "),
    "waits": ("time.sleep(1000)\n", "still being imported after 2 s, so it was stopped; --timeout sets the limit"),
}


@pytest.fixture(scope="module")
def session(module_project: Project) -> tuple[Ran, dict[str, dict[str, str]]]:
    """One session over every kind of bad file, between two good ones."""
    module_project.write({f"suites/suite_{name}.py": content for name, (content, _) in BAD.items()})
    module_project.write({"suites/suite_a.py": GOOD, "suites/suite_z.py": GOOD})
    ran = module_project.run("--timeout", "2s", "--json", "record.json")
    failures = module_project.json("record.json")["load_failures"]
    return ran, {Path(failure["file"]).stem.removeprefix("suite_"): failure for failure in failures}


@pytest.mark.parametrize("name", BAD)
def test_it_is_told(session: tuple[Ran, dict[str, dict[str, str]]], name: str) -> None:
    ran, failures = session

    assert failures[name]["message"].startswith(BAD[name][1])
    assert f"LOAD  suites/suite_{name}.py\n      {failures[name]['message']}\n" in ran.out


def test_everything_else_runs_and_the_session_is_red(session: tuple[Ran, dict[str, dict[str, str]]]) -> None:
    ran, failures = session

    assert ran.code == 1
    assert failures.keys() == BAD.keys()
    assert f"2 passed · {len(BAD)} suite files did not load" in ran.out


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("no_module", "import nowhere_to_be_found"),
        ("raises", "1 / 0"),
        ("no_python", "def broken(:"),
        ("exits_hard", "bye"),
        ("crashes", "Segmentation fault"),
        ("computes", "<module>"),
        ("waits", "<module>"),
    ],
)
def test_its_place_is_shown(session: tuple[Ran, dict[str, dict[str, str]]], name: str, place: str) -> None:
    assert place in session[1][name]["traceback"]


@pytest.mark.parametrize("name", ["raises", "no_python", "twice", "unknown", "declares"])
def test_no_line_of_the_runner_is_shown(session: tuple[Ran, dict[str, dict[str, str]]], name: str) -> None:
    assert "wfrun/runner" not in session[1][name]["traceback"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("twice", "rename one of the two functions"),
        ("unknown", "did you mean 'context'?"),
        ("declares", "kinds are unit, integration, e2e, performance, stress"),
    ],
)
def test_what_to_do_is_said(session: tuple[Ran, dict[str, dict[str, str]]], name: str, hint: str) -> None:
    assert hint in session[1][name]["message"]


def test_one_id_in_two_files_refuses_the_second(project: Project) -> None:
    project.write({"suites/suite_a.py": GOOD, "other/suites/suite_a.py": GOOD})

    ran = project.run("suites", "other")

    assert ran.code == 1
    assert "DuplicateCase: 'a::good' is at " in ran.out
    assert "1 passed" in ran.out


def test_an_import_may_leave_threads_and_processes(project: Project) -> None:
    project.write(
        {
            "suites/suite_a.py": GOOD + "threading.Thread(target=time.sleep, args=(1000,)).start()\n"
            "sleeper = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
            "with open('pids', 'a') as file: file.write(f'{sleeper.pid}\\n')\n"
        }
    )

    ran = project.run()

    assert ran.code == 0
    pids = project.read("pids").split()
    assert len(pids) == 2
    for pid in pids:
        gone(int(pid))


def test_a_suite_that_loads_differently_each_time_is_not_believed(project: Project) -> None:
    project.write(
        {
            "suites/suite_a.py": "tag = str(os.getpid())\n"
            "@suite.case(tags=(tag,))\ndef changes(): pass\n@suite.case()\ndef stays(): pass\n"
        }
    )

    ran = project.run()

    assert ran.code == 1
    assert "the case that was planned is another one in this process: its suite loads differently each time" in ran.out
    assert "1 passed" in ran.out


def test_a_listing_tells_what_did_not_load_on_standard_error(project: Project) -> None:
    project.write({"suites/suite_a.py": GOOD, "suites/suite_bad.py": "1 / 0\n"})

    ran = project.run("list")

    assert ran.code == 1
    assert "1 case in 1 suite" in ran.out
    assert "suites/suite_bad.py did not load: ZeroDivisionError: division by zero" in ran.err
