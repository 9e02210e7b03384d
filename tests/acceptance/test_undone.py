"""What a suite changes for others in its process is undone after its load and after each case, and said once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.conftest import Project, Ran

CHANGES: Final = """
import locale, logging, warnings

@suite.case()
def changes_the_folder(context): os.chdir(context.folder)

@suite.case()
def changes_it_again(): os.chdir("/")

@suite.case()
def changes_the_path():
    sys.path.insert(0, "/nowhere")
    sys.path.remove(next(each for each in sys.path if each.endswith("lib-dynload")))

@suite.case()
def changes_handlers():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, print)

@suite.case()
def changes_the_policy():
    class OwnPolicy(asyncio.DefaultEventLoopPolicy): pass
    asyncio.set_event_loop_policy(OwnPolicy())

@suite.case()
def changes_the_environment():
    os.environ["TOKEN"] = "secret"
    del os.environ["HOME"]

@suite.case()
def changes_logging():
    logging.basicConfig(level=logging.DEBUG)
    logging.disable(logging.CRITICAL)

@suite.case()
def changes_warnings(): warnings.simplefilter("error")

@suite.case()
def changes_small_things():
    os.umask(0)
    sys.setrecursionlimit(5000)

@suite.case()
def finds_everything_as_it_was():
    assert os.path.isdir("suites")
    assert "/nowhere" not in sys.path and any(each.endswith("lib-dynload") for each in sys.path)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert type(asyncio.get_event_loop_policy()).__name__ != "OwnPolicy"
    assert "TOKEN" not in os.environ and "HOME" in os.environ
    assert logging.root.handlers == [] and logging.root.level == logging.WARNING and logging.root.manager.disable == 0
    assert warnings.filters[0][0] != "error"
    assert os.umask(0o077) != 0
    assert sys.getrecursionlimit() != 5000

@suite.fixture
def home():
    before, os.environ["HOME"] = os.environ["HOME"], "/nowhere"
    yield
    os.environ["HOME"] = before

@suite.case()
def a_fixture_that_tidies_up_is_nobodys_business(home): assert os.environ["HOME"] == "/nowhere"

@suite.case(timeout_s=0.3)
def shows_its_stacks_all_the_same():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(1000)
"""
LOADS: Final = """
import helper
os.environ["MODE"] = "test"
os.chdir("/")
sys.path.append("/elsewhere")

@suite.case()
def finds_it_undone():
    assert "MODE" not in os.environ
    assert os.getcwd() != "/"
    import later
"""
SAID: Final = [
    "suite_changes.py changed sys.path (added /nowhere; removed ",
    "suite_changes.py changed the handlers of SIGTERM, SIGUSR1; undone",
    "suite_changes.py changed the event-loop policy to OwnPolicy; undone",
    "suite_changes.py changed the environment variables HOME, TOKEN; undone",
    "suite_changes.py changed the logging configuration of the root logger; undone",
    "suite_changes.py changed the filters of warnings; undone",
    "suite_changes.py changed the umask to 000; undone",
    "suite_changes.py changed the recursion limit to 5000; undone",
    "suite_loads.py changed the working folder to /; undone",
    "suite_loads.py changed sys.path (added /elsewhere); undone",
    "suite_loads.py changed the environment variable MODE; undone",
]


@pytest.fixture(scope="module")
def session(module_project: Project) -> tuple[Ran, Mapping[str, Any]]:
    module_project.write(
        {
            "suites/suite_changes.py": CHANGES,
            "suites/loads/suite_loads.py": LOADS,
            "suites/loads/helper.py": "",
            "suites/loads/later.py": "",
        }
    )
    ran = module_project.run("--json", "record.json", "--junit", "junit.xml", "--workers", "1")
    return ran, module_project.json("record.json")


def test_everything_is_as_it_was_for_the_next_case(session: tuple[Ran, Mapping[str, Any]]) -> None:
    messages = {each["id"].partition("::")[2]: each["message"] for each in session[1]["outcomes"]}
    stuck = messages.pop("shows_its_stacks_all_the_same")

    assert set(messages.values()) == {""}
    assert len(messages) == 12
    assert "did not react" in stuck


@pytest.mark.parametrize("said", SAID)
def test_each_change_is_said(session: tuple[Ran, Mapping[str, Any]], said: str) -> None:
    ran, record = session

    assert [warning for warning in record["warnings"] if warning.startswith(said)] != []
    assert f"! {said}" in ran.out


def test_one_kind_of_change_is_said_once_for_a_suite(session: tuple[Ran, Mapping[str, Any]]) -> None:
    folders = [
        warning for warning in session[1]["warnings"] if "suite_changes.py changed the working folder" in warning
    ]

    assert len(folders) == 1
    assert len(session[1]["warnings"]) == len(SAID) + 1


def test_values_of_variables_are_not_told(session: tuple[Ran, Any], module_project: Project) -> None:
    assert "secret" not in session[0].text + module_project.read("junit.xml")


def test_the_case_has_it_as_a_property(session: tuple[Ran, Any], module_project: Project) -> None:
    root = ET.fromstring(module_project.read("junit.xml"))  # noqa: S314 - it is our own output
    case = next(case for case in root.iter("testcase") if case.get("name") == "Changes the policy")

    properties = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert properties["warnings"] == "suite_changes.py changed the event-loop policy to OwnPolicy; undone"


def test_stacks_are_printed_after_their_signal_was_taken_over(session: tuple[Ran, Mapping[str, Any]]) -> None:
    stuck = next(each for each in session[1]["outcomes"] if each["id"].endswith("shows_its_stacks_all_the_same"))

    assert stuck["details"].startswith("Current thread")
    assert "in shows_its_stacks_all_the_same" in stuck["details"]
